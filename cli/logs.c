/* logs: of the application, of the sandbox's start, or of its repository's import. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"
#include "command.h"
#include "project.h"
#include "run.h"
#include "sandbox.h"

enum { WAIT_S = 30, RETRY_MS = 1000, AWAY_MAX_MS = 600 * 1000 };

struct log {
	struct sandbox *sandbox;
	const char *name;
	bool follow;
	uint64_t offset, away_since_ms;
	bool ended, renewed;
};

/* Reports missing output at the place where it is missing. */
static int show(struct log *l, const struct exchange *x, struct err *e)
{
	uint64_t from = exchange_number(x, "Output-Offset");

	if (from > l->offset) {
		(void)fflush(stdout);
		(void)fprintf(stderr, "[fsa: %llu bytes before this are not kept any more]\n",
			      (unsigned long long)(from - l->offset));
	}
	if (!run_write_through(NULL, PROCESS_STDOUT, x->answer.data, x->answer.length))
		return err_set(e, ERR_INVALID, "CANNOT_WRITE", "standard output is closed");
	l->offset = from + x->answer.length;
	l->ended = exchange_is(x, "Output-End", "true");
	return 0;
}

static int request(struct log *l, struct err *e)
{
	CLEANUP(cleanup_free)
	char *path = mem_printf("/v1/logs/%s?offset=%llu&wait=%d", l->name,
				(unsigned long long)l->offset, l->follow ? WAIT_S : 0);
	CLEANUP(exchange_release) struct exchange x;

	exchange_begin(&l->sandbox->server,
		       &(struct exchange_request) { .method = "GET", .path = path }, &x);
	if (exchange_end(&l->sandbox->server, &x, curl_easy_perform(x.curl), e) < 0)
		return -1;
	return show(l, &x, e);
}

/* Whether to continue: with another token, later, or with the log of a newer process. */
static int heal(struct log *l, struct err *e)
{
	const struct timespec pause = { .tv_sec = RETRY_MS / 1000 };
	uint64_t now = clock_ms();

	if (e->kind == ERR_UNAUTHENTICATED && !l->renewed) {
		l->renewed = true;
		return sandbox_renew(l->sandbox, e);
	}
	if (strcmp(e->code, "WRONG_OFFSET") == 0 && l->offset > 0) {
		l->offset = 0;
		return 0;
	}
	if (!l->follow || !site_is_away(e))
		return -1;
	if (l->away_since_ms == 0)
		l->away_since_ms = now;
	if (now - l->away_since_ms > AWAY_MAX_MS)
		return -1;
	(void)nanosleep(&pause, NULL);
	return 0;
}

static int read_log(struct log *l, struct err *e)
{
	uint64_t before;

	do {
		before = l->offset;
		if (request(l, e) < 0) {
			if (heal(l, e) < 0)
				return -1;
			continue;
		}
		l->away_since_ms = 0;
		l->renewed = false;
	} while (!l->ended && (l->follow || l->offset > before));
	return 0;
}

int command_logs(const struct call *call, struct err *e)
{
	CLEANUP(site_close) struct site site = { 0 };
	CLEANUP(json_decrefp) json_t *project = NULL;
	CLEANUP(sandbox_close) struct sandbox sandbox = { 0 };
	struct log log = {
		.sandbox = &sandbox,
		.name = call->argument_count > 1 ? call->arguments[1] : "app",
		.follow = call->options[OPTION_FOLLOW] != NULL,
	};

	if (strcmp(log.name, "app") != 0 && strcmp(log.name, "start") != 0 &&
	    strcmp(log.name, "import") != 0)
		return err_set(e, ERR_INVALID, "USAGE",
			       "there is no log \"%s\": app is the application's, start that of "
			       "the sandbox's start, import that of its repository's import",
			       log.name);
	(void)signal(SIGPIPE, SIG_IGN);
	if (call_site(call, &site, e) < 0 ||
	    project_find(&site, call->arguments[0], &project, e) < 0 ||
	    sandbox_open(&site, project, "usage", &sandbox, e) < 0)
		return -1;
	return read_log(&log, e);
}
