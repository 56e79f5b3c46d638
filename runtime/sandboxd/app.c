#include "sandboxd/app.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "sandboxd/app_command.h"
#include "sandboxd/handlers.h"
#include "sandboxd/import.h"
#include "sandboxd/problem.h"
#include "sandboxd/process.h"

enum { BACKOFF_MAX_S = 60, STEADY_S = 60, GRACE_S = 10 };

static struct {
	struct observer observer; /* its process is NULL: it does not run */
	bool wanted, restarting, has_ended;
	unsigned ends, restarts; /* in a row; since it was started by request */
	int64_t started_at, next_at;
	int64_t kill_at; /* 0: it is not asked to end */
	int status;      /* as of waitpid, of its last end */
} app;

/* ---- its process --------------------------------------------------------------------------- */

static int64_t backoff(void)
{
	int64_t seconds = 1;

	for (unsigned i = 0; i < app.ends && seconds < BACKOFF_MAX_S; i++)
		seconds *= 2;
	return seconds < BACKOFF_MAX_S ? seconds : BACKOFF_MAX_S;
}

static void note_end(void)
{
	int64_t now = loop_now();

	if (app.restarting || now - app.started_at >= STEADY_S)
		app.ends = 0;
	app.next_at = app.restarting ? now : now + backoff();
	app.ends += !app.restarting;
	app.restarting = false;
	app.kill_at = 0;
	app.has_ended = true;
}

/* Also called when somebody has removed the process. */
static void process_changed(struct observer *o)
{
	struct process *p = o->process;

	if (p != NULL && !p->ended)
		return;
	if (p != NULL) {
		app.status = p->status;
		process_unobserve(o);
	}
	note_end();
}

static int launch(struct err *e)
{
	CLEANUP(app_command_release) struct app_command command;
	CLEANUP(json_decrefp) json_t *request = NULL;
	struct process *p;

	if (!app_command_find(&command)) {
		app.wanted = false;
		return problem(e, "NO_APP",
			       "there is no command for the app: set FSA_APP_COMMAND, or write a "
			       "Procfile with a line \"web: COMMAND\", or a package.json with the "
			       "script \"start\"");
	}
	app.started_at = loop_now();
	request = app_command_request(&command);
	if (process_start_own(request, &p, e) < 0) {
		note_end();
		return -1;
	}
	app.observer.changed = process_changed;
	process_observe(p, &app.observer);
	return 0;
}

static void end(void)
{
	struct err e;

	app.kill_at = loop_now() + GRACE_S;
	(void)process_signal(app.observer.process, "TERM", &e);
}

static bool tick(int64_t now)
{
	struct process *p = app.observer.process;
	struct err e;

	if (p != NULL && app.kill_at != 0 && now >= app.kill_at)
		(void)process_signal(p, "KILL", &e);
	if (p == NULL && app.wanted && now >= app.next_at && !import_is_running()) {
		app.restarts += app.has_ended;
		if (launch(&e) < 0 && strcmp(e.code, "NO_APP") != 0)
			dprintf(STDERR_FILENO, "sandboxd: the app: %s\n", e.message);
	}
	return app.wanted || app.kill_at != 0;
}

void app_init(bool start)
{
	app.wanted = start;
	loop_add_tick(tick);
}

/* ---- requests ------------------------------------------------------------------------------ */

static const char *status(bool has_command)
{
	if (app.observer.process != NULL)
		return app.kill_at != 0 ? "stopping" : "running";
	if (app.wanted)
		return app.has_ended ? "crashed" : "waiting";
	return has_command ? "stopped" : "none";
}

static json_t *retry_in(void)
{
	int64_t left = app.next_at - loop_now();

	if (app.observer.process != NULL || !app.wanted || !app.has_ended)
		return json_null();
	return json_integer(left > 0 ? left : 0);
}

static json_t *exit_code(void)
{
	return app.has_ended && WIFEXITED(app.status) ? json_integer(WEXITSTATUS(app.status))
						      : json_null();
}

static json_t *exit_signal(void)
{
	const char *name =
		app.has_ended && WIFSIGNALED(app.status) ? signal_name(WTERMSIG(app.status)) : NULL;

	return name != NULL ? json_string(name) : json_null();
}

static int answer(struct conn *c)
{
	CLEANUP(app_command_release) struct app_command command;
	bool found = app_command_find(&command);
	const struct process *p = app.observer.process;
	/* It may be the value of a secret variable. */
	bool shows_command = (c->grant.scopes & SCOPE_EXEC) != 0;

	conn_json(c, 200,
		  json_pack("{s:s, s:s?, s:s?, s:s, s:s?, s:i, s:o, s:o, s:o}", "status",
			    status(found), "command", shows_command ? command.line : NULL, "source",
			    found ? command.source : NULL, "folder", command.folder, "process",
			    p != NULL ? p->id : NULL, "restarts", (int)app.restarts, "exitCode",
			    exit_code(), "signal", exit_signal(), "retryInSeconds", retry_in()));
	return 0;
}

int app_read(struct conn *c, json_t *body, struct err *e)
{
	(void)body;
	(void)e;
	return answer(c);
}

/* One that runs goes on; one that is being ended begins again. */
int app_start(struct conn *c, json_t *body, struct err *e)
{
	(void)body;
	app.wanted = true;
	app.restarting = app.kill_at != 0;
	app.ends = app.restarts = 0;
	app.next_at = 0;
	conn_note_input();
	if (app.observer.process == NULL && !import_is_running() && launch(e) < 0)
		return -1;
	return answer(c);
}

int app_stop(struct conn *c, json_t *body, struct err *e)
{
	(void)body;
	(void)e;
	app.wanted = app.restarting = false;
	conn_note_input();
	if (app.observer.process != NULL && app.kill_at == 0)
		end();
	return answer(c);
}

int app_restart(struct conn *c, json_t *body, struct err *e)
{
	if (app.observer.process != NULL && app.kill_at == 0)
		end();
	return app_start(c, body, e);
}
