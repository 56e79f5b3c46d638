#include "device.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"
#include "browser.h"
#include "command/output.h"

enum { HOST_MAX = 50, INTERVAL_MAX_S = 60, EXPIRES_MAX_S = 3600 };

static int ask(struct site *site, json_t **ret_asked, struct err *e)
{
	char host[HOST_MAX + 1] = "";

	(void)gethostname(host, HOST_MAX);
	CLEANUP(cleanup_free) char *name = mem_printf("fsa on %s", host);
	CLEANUP(json_decrefp)
	json_t *body = json_pack("{s:s, s:s}", "name", name, "scope", "write");
	return site_call(site, "POST", "/api/auth/device", body, ret_asked, e);
}

static const char *text_of(const json_t *asked, const char *member)
{
	const char *text = json_string_value(json_object_get(asked, member));

	return text != NULL ? text : "";
}

/* The code is typed, and not in the address: so somebody who was sent a link notices. */
static void say(const struct site *site, const json_t *asked)
{
	CLEANUP(cleanup_free)
	char *page = mem_printf("%s%s", site->url, text_of(asked, "verificationPath"));
	CLEANUP(cleanup_free) char *safe = output_printable(page);
	CLEANUP(cleanup_free) char *code = output_printable(text_of(asked, "userCode"));

	(void)fprintf(stderr,
		      "Open %s in a browser, on any machine, and enter this code:\n\n    %s\n\n",
		      safe, code);
	if (isatty(STDIN_FILENO))
		browser_show(page);
}

static unsigned seconds_of(const json_t *asked, const char *member, unsigned max)
{
	json_int_t seconds = json_integer_value(json_object_get(asked, member));

	return seconds < 1 ? 1 : seconds < max ? (unsigned)seconds : max;
}

static bool is_undecided(const struct err *e)
{
	return strcmp(e->code, "AUTHORIZATION_PENDING") == 0 || site_is_away(e);
}

static int collect(struct site *site, const json_t *asked, json_t **ret_made, struct err *e)
{
	CLEANUP(json_decrefp)
	json_t *body = json_pack("{s:s}", "deviceCode", text_of(asked, "deviceCode"));
	uint64_t until = clock_ms() + 1000UL * seconds_of(asked, "expiresIn", EXPIRES_MAX_S);
	const struct timespec pause = { .tv_sec = seconds_of(asked, "interval", INTERVAL_MAX_S) };

	while (clock_ms() < until) {
		(void)nanosleep(&pause, NULL);
		if (site_call(site, "POST", "/api/auth/device/token", body, ret_made, e) == 0)
			return 0;
		if (!is_undecided(e))
			return -1;
	}
	return err_set(e, ERR_UNAUTHENTICATED, "EXPIRED_TOKEN",
		       "nobody has entered the code in time: log in again");
}

int device_log_in(struct site *site, char **ret_token, struct err *e)
{
	CLEANUP(json_decrefp) json_t *asked = NULL, *made = NULL;

	if (ask(site, &asked, e) < 0)
		return -1;
	say(site, asked);
	if (collect(site, asked, &made, e) < 0)
		return -1;
	*ret_token = mem_strdup(text_of(made, "token"));
	return 0;
}
