/* shell: a terminal of a project's sandbox in this terminal, in a tmux session that survives when
 * the connection, this program or this machine goes away. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "command.h"
#include "process.h"
#include "project.h"
#include "run.h"

enum {
	AWAY_MAX_MS = 7 * 24 * 3600 * 1000, /* long, because the user can decide */
	TYPED_MAX = 16,                     /* more at once has been pasted */
	UNATTENDED_S = 600,                 /* the session stays, only its client ends */
	SESSION_MAX = 64,
};

#define SESSION_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"

/* Attaches to the session that the terminal's page uses (runtime/sandbox); without tmux, it is a
 * shell that ends with this program. */
static const char script[] = "infocmp \"$TERM\" >/dev/null 2>&1 || export TERM=xterm-256color\n"
			     "session=/usr/lib/fullstack-agent/session\n"
			     "[ -x \"$session\" ] && exec \"$session\" \"$1\"\n"
			     "command -v tmux >/dev/null && exec tmux new-session -A -s \"$1\"\n"
			     "exec \"${SHELL:-/bin/bash}\" -l\n";

/* How much of "Enter ~ ." has been typed. */
enum escape { TYPED_OTHER, TYPED_ENTER, TYPED_TILDE };

struct shell {
	enum escape escape;
};

/* As in ssh(1), "~~" is a tilde, and so is a tilde before any other character. */
static bool escape_takes(struct shell *s, char typed, char **to)
{
	bool after_tilde = s->escape == TYPED_TILDE;

	if (s->escape == TYPED_ENTER && typed == '~') {
		s->escape = TYPED_TILDE;
		return true;
	}
	s->escape = typed == '\r' || typed == '\n' ? TYPED_ENTER : TYPED_OTHER;
	if (after_tilde && typed == '.')
		return false;
	if (after_tilde && typed != '~')
		*(*to)++ = '~';
	*(*to)++ = typed;
	return true;
}

/* A tilde that was held back left room for one that is inserted. */
static bool inspect_typed(void *user, char *data, size_t *length)
{
	struct shell *s = user;
	char typed[TYPED_MAX], *to = data;
	size_t count = *length;

	if (count >= TYPED_MAX) {
		s->escape = TYPED_OTHER;
		return true;
	}
	memcpy(typed, data, count);
	for (size_t i = 0; i < count; i++) {
		bool stays = escape_takes(s, typed[i], &to);
		*length = (size_t)(to - data);
		if (!stays)
			return false;
	}
	return true;
}

static void report_away(void *user, bool away)
{
	(void)user;
	(void)fprintf(stderr, away ? "\r\n[fsa: the sandbox is out of reach; trying again. "
				     "Enter ~ . leaves]\r\n"
				   : "\r\n[fsa: connected again]\r\n");
}

/* ---- this terminal --------------------------------------------------------------------------- */

static void make_raw(struct termios *ret_before)
{
	struct termios raw;

	(void)tcgetattr(STDIN_FILENO, ret_before);
	raw = *ret_before;
	cfmakeraw(&raw);
	(void)tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
}

static int attach(struct sandbox *sandbox, const struct process_options *options,
		  json_t **ret_process, struct err *e)
{
	struct termios before;
	int status;

	make_raw(&before);
	while ((status = process_run(sandbox, options, ret_process, e)) < 0 &&
	       strcmp(e->code, "PROCESS_GONE") == 0 && sandbox_renew(sandbox, e) == 0)
		(void)fprintf(stderr, "\r\n[fsa: %s; a new session begins]\r\n", e->message);
	(void)tcsetattr(STDIN_FILENO, TCSADRAIN, &before);
	return status;
}

/* ---- the command ----------------------------------------------------------------------------- */

static int check(const struct call *call, const char *session, struct err *e)
{
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return err_set(
			e, ERR_INVALID, "USAGE",
			"this is not a terminal; for programs there is fsa run %s -- COMMAND",
			call->arguments[0]);
	if (session[0] == '\0' || session[0] == '-' || strlen(session) > SESSION_MAX ||
	    session[strspn(session, SESSION_CHARACTERS)] != '\0')
		return err_set(e, ERR_INVALID, NULL,
			       "the name of a session has 1 to %d letters, digits, - and _, and "
			       "begins with no -",
			       SESSION_MAX);
	return 0;
}

static int open_shell(struct sandbox *sandbox, const char *session, struct err *e)
{
	struct shell shell = { .escape = TYPED_ENTER };
	const char *term = getenv("TERM");
	CLEANUP(json_decrefp) json_t *process = NULL;
	CLEANUP(json_decrefp)
	json_t *command = json_pack("[s, s, s, s, s]", "sh", "-c", script, "sh", session);
	CLEANUP(json_decrefp)
	json_t *environment = json_pack("{s:s}", "TERM", term != NULL ? term : "xterm-256color");
	struct process_options options = {
		.command = command,
		.environment = environment,
		.input = STDIN_FILENO,
		.signals = true,
		.terminal = true,
		.unattended_s = UNATTENDED_S,
		.away_max_ms = AWAY_MAX_MS,
		.write = run_write_through,
		.typed = inspect_typed,
		.away = report_away,
		.user = &shell,
	};

	if (environment == NULL)
		return err_set(e, ERR_INVALID, NULL, "$TERM is not text (UTF-8)");
	if (attach(sandbox, &options, &process, e) < 0)
		return -1;
	if (process != NULL)
		return run_exit_code(process);
	(void)fprintf(stderr, "\n[fsa: left; the session \"%s\" goes on]\n", session);
	return 0;
}

int command_shell(const struct call *call, struct err *e)
{
	CLEANUP(site_close) struct site site = { 0 };
	CLEANUP(json_decrefp) json_t *project = NULL;
	CLEANUP(sandbox_close) struct sandbox sandbox = { 0 };
	const char *session = call->argument_count > 1 ? call->arguments[1] : "main";

	if (check(call, session, e) < 0 || call_site(call, &site, e) < 0 ||
	    project_find(&site, call->arguments[0], &project, e) < 0 ||
	    sandbox_open(&site, project, "exec", &sandbox, e) < 0)
		return -1;
	return open_shell(&sandbox, session, e);
}
