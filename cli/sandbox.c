#include "sandbox.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/parse.h"
#include "project.h"
#include "sites.h"

enum { SECONDS = 3600, HURRIED_MS = 10000 };

static json_t *scope_list(const char *scopes)
{
	CLEANUP(cleanup_free) char *words = mem_strdup(scopes);
	json_t *list = json_array();
	char *rest = NULL;

	for (char *word = strtok_r(words, " ", &rest); word != NULL;
	     word = strtok_r(NULL, " ", &rest))
		(void)json_array_append_new(list, json_string(word));
	return list;
}

static bool is_header_value(const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text <= ' ' || *text > '~')
			return false;
	}
	return true;
}

/* The site names the address, which must protect the token as well as the site's own. */
static int check_answer(const struct site *site, const char *token, const char *url, struct err *e)
{
	if (token == NULL || !is_header_value(token))
		return err_set(e, ERR_INTERNAL, "NOT_A_SITE",
			       "the site's response contains no token");
	if (strncmp(url, "http:", 5) == 0 && strncmp(site->url, "http:", 5) != 0)
		return err_set(e, ERR_INTERNAL, "NOT_A_SITE",
			       "the site says that the sandbox is at %s, on this machine", url);
	return 0;
}

int sandbox_renew(struct sandbox *s, struct err *e)
{
	CLEANUP(cleanup_free) char *path = mem_printf("/api/sandbox/%s/tokens", s->project);
	CLEANUP(cleanup_free) char *url = NULL;
	CLEANUP(json_decrefp) json_t *answer = NULL;
	CLEANUP(json_decrefp)
	json_t *body =
		json_pack("{s:o, s:i}", "scopes", scope_list(s->scopes), "expiresIn", SECONDS);

	if (site_call(s->site, "POST", path, body, &answer, e) < 0)
		return -1;
	const char *token = json_string_value(json_object_get(answer, "token"));
	const char *given = json_string_value(json_object_get(answer, "url"));
	if (sites_url(given != NULL ? given : "", &url, e) < 0 ||
	    check_answer(s->site, token, url, e) < 0)
		return -1;
	if (s->server.curl != NULL)
		site_close(&s->server);
	site_open_with(url, token, s->site->ca_file, &s->server);
	s->server.hint = NULL;
	s->server.cancelled = s->site->cancelled;
	s->server.timeout_ms = s->site->timeout_ms;
	return 0;
}

int sandbox_open(struct site *site, const json_t *project, const char *scopes,
		 struct sandbox *ret_sandbox, struct err *e)
{
	if (!parse_is_uuid(project_id(project)))
		return err_set(e, ERR_INTERNAL, "NOT_A_SITE",
			       "the site's response has an invalid project id");
	*ret_sandbox = (struct sandbox) {
		.site = site,
		.project = mem_strdup(project_id(project)),
		.scopes = scopes,
	};
	return sandbox_renew(ret_sandbox, e);
}

void sandbox_hurry(struct sandbox *s)
{
	s->site->cancelled = s->server.cancelled = NULL;
	s->site->timeout_ms = s->server.timeout_ms = HURRIED_MS;
}

void sandbox_close(struct sandbox *sandbox)
{
	if (sandbox->server.curl != NULL)
		site_close(&sandbox->server);
	free(sandbox->project);
	*sandbox = (struct sandbox) { 0 };
}
