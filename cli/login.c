/* login, logout and token: this machine's access to a site, on behalf of a person. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ask.h"
#include "base/cleanup.h"
#include "base/mem.h"
#include "command.h"
#include "device.h"
#include "sites.h"

enum { SECRET_MAX = 1024, TOKEN_DAYS = 90, HOST_MAX = 50 };

static void free_secret(char **secret)
{
	if (*secret != NULL)
		explicit_bzero(*secret, strlen(*secret));
	free(*secret);
}

static int check_token(const char *token, struct err *e)
{
	for (const char *c = token; *c != '\0'; c++) {
		if (*c <= ' ' || *c > '~')
			return err_set(e, ERR_INVALID, "INVALID_TOKEN",
				       "this is not a token: it contains blanks");
	}
	if (token[0] == '\0')
		return err_set(e, ERR_INVALID, "INVALID_TOKEN", "no token was given");
	return 0;
}

static int ask_token(char **ret_token, struct err *e)
{
	if (ask_secret("API token", SECRET_MAX, ret_token, e) < 0)
		return -1;
	return check_token(*ret_token, e);
}

/* Logs in, makes a token, and ends the session again. */
static int make_token(const struct site *site, const char *session, char **ret_token, struct err *e)
{
	CLEANUP(site_close) struct site own;
	CLEANUP(json_decrefp) json_t *made = NULL;
	char host[HOST_MAX + 1] = "";
	int status;

	(void)gethostname(host, HOST_MAX);
	CLEANUP(cleanup_free) char *name = mem_printf("fsa on %s", host);
	CLEANUP(json_decrefp)
	json_t *wanted = json_pack("{s:s, s:s, s:i}", "name", name, "scope", "write",
				   "expiresInDays", TOKEN_DAYS);
	site_open_with(site->url, session, site->ca_file, &own);
	status = site_call(&own, "POST", "/api/user/tokens", wanted, &made, e);
	const char *token = json_string_value(json_object_get(made, "token"));
	*ret_token = mem_strdup(token != NULL ? token : "");
	struct err ignored;
	(void)site_call(&own, "POST", "/api/auth/logout", NULL, NULL, &ignored);
	return status < 0 ? -1 : check_token(*ret_token, e);
}

static int log_in_by_password(struct site *site, const char *name, char **ret_token, struct err *e)
{
	CLEANUP(free_secret) char *password = NULL;
	CLEANUP(json_decrefp) json_t *session = NULL;

	if (ask_secret("Password", SECRET_MAX, &password, e) < 0)
		return -1;
	CLEANUP(json_decrefp)
	json_t *login =
		json_pack("{s:s, s:s, s:b}", "name", name, "password", password, "bearer", 1);
	if (login == NULL)
		return err_set(e, ERR_INVALID, NULL, "name or password is not UTF-8");
	if (site_call(site, "POST", "/api/auth/login", login, &session, e) < 0)
		return -1;
	const char *token = json_string_value(json_object_get(session, "token"));
	return make_token(site, token ? token : "", ret_token, e);
}

/* A program has no one to type a code into a browser: it brings a token. An older site has no
 * codes. */
static int log_in_by_browser(struct site *site, char **ret_token, struct err *e)
{
	if (!isatty(STDIN_FILENO))
		return ask_token(ret_token, e);
	if (device_log_in(site, ret_token, e) == 0)
		return check_token(*ret_token, e);
	if (e->kind != ERR_NOT_FOUND)
		return -1;
	(void)fprintf(stderr, "Make an API token at %s/account, and paste it here.\n", site->url);
	return ask_token(ret_token, e);
}

static int get_token(const struct call *call, struct site *site, char **ret_token, struct err *e)
{
	const char *user = call->options[OPTION_USER];

	if (user != NULL)
		return log_in_by_password(site, user, ret_token, e);
	if (call->options[OPTION_TOKEN] != NULL)
		return ask_token(ret_token, e);
	return log_in_by_browser(site, ret_token, e);
}

/* Tries a request that every token may make. */
static int try_token(const struct site *site, const char *token, struct err *e)
{
	CLEANUP(site_close) struct site own;

	site_open_with(site->url, token, site->ca_file, &own);
	return site_call(&own, "GET", "/api/user/limits", NULL, NULL, e);
}

static int choose_url(const struct call *call, char **ret_url, struct err *e)
{
	const char *url = call->argument_count > 0 ? call->arguments[0] : call->site;
	CLEANUP(json_decrefp) json_t *stored = NULL;

	if (url != NULL)
		return sites_url(url, ret_url, e);
	if (sites_find(NULL, ret_url, &stored, e) < 0)
		return err_set(e, ERR_INVALID, "USAGE", "log in to which site? fsa login URL");
	return 0;
}

int command_login(const struct call *call, struct err *e)
{
	CLEANUP(cleanup_free) char *url = NULL, *ca_file = NULL;
	CLEANUP(free_secret) char *token = NULL;
	CLEANUP(site_close) struct site site = { 0 };

	if (choose_url(call, &url, e) < 0)
		return -1;
	if (call->options[OPTION_CA_FILE] != NULL &&
	    (ca_file = realpath(call->options[OPTION_CA_FILE], NULL)) == NULL)
		return err_set(e, ERR_INVALID, NULL, "%s: no such file",
			       call->options[OPTION_CA_FILE]);
	site_open_with(url, NULL, ca_file, &site);
	if (get_token(call, &site, &token, e) < 0 || try_token(&site, token, e) < 0 ||
	    sites_add(url, token, ca_file, e) < 0)
		return -1;
	CLEANUP(json_decrefp) json_t *done = json_pack("{s:s}", "site", url);
	if (!call_json(call, done))
		(void)printf("Logged in to %s\n", url);
	return 0;
}

int command_logout(const struct call *call, struct err *e)
{
	CLEANUP(cleanup_free) char *url = NULL;
	CLEANUP(json_decrefp) json_t *stored = NULL;

	if (sites_find(call->site, &url, &stored, e) < 0 || sites_remove(url, e) < 0)
		return -1;
	CLEANUP(json_decrefp) json_t *done = json_pack("{s:s}", "site", url);
	if (!call_json(call, done))
		(void)printf("The token for %s is forgotten here. It works until it is withdrawn "
			     "at %s/account\n",
			     url, url);
	return 0;
}

int command_token(const struct call *call, struct err *e)
{
	CLEANUP(site_close) struct site site = { 0 };

	if (call_site(call, &site, e) < 0)
		return -1;
	CLEANUP(json_decrefp)
	json_t *shown = json_pack("{s:s, s:s}", "site", site.url, "token", site.token);
	if (!call_json(call, shown))
		(void)puts(site.token);
	return 0;
}
