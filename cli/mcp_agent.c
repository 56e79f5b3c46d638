/* MCP's tools for tasks of the coding agent in a sandbox. */
#include <string.h>

#include "agent.h"
#include "base/cleanup.h"
#include "base/mem.h"
#include "mcp_tools.h"
#include "process_call.h"
#include "run.h"

enum {
	WAIT_S = 45,  /* clients end a call after a minute */
	ENDING_S = 9, /* for the agent to leave things in order */
};

/* Its output from the beginning, as far as the sandbox keeps it. */
static int read_output(struct sandbox *sandbox, const char *path, json_t **ret_text, struct err *e)
{
	CLEANUP(cleanup_free) char *output = mem_printf("%s/stdout", path);
	CLEANUP(exchange_release) struct exchange x;

	exchange_begin(&sandbox->server,
		       &(struct exchange_request) { .method = "GET", .path = output }, &x);
	if (exchange_end(&sandbox->server, &x, curl_easy_perform(x.curl), e) < 0)
		return -1;
	*ret_text = run_text(&x.answer);
	return 0;
}

static int tell(struct sandbox *sandbox, const json_t *process, const char *session,
		json_t **ret_found, struct err *e)
{
	const char *id = json_string_value(json_object_get(process, "id"));
	CLEANUP(cleanup_free) char *path = mem_printf("/v1/processes/%s", id != NULL ? id : "");
	json_t *text;

	if (read_output(sandbox, path, &text, e) < 0)
		return -1;
	*ret_found = json_pack("{s:s?, s:s*, s:O*, s:O*, s:o}", "process", id, "session", session,
			       "status", json_object_get(process, "status"), "exitCode",
			       json_object_get(process, "exitCode"), "output", text);
	return 0;
}

/* Waits for its end. */
static int await(struct sandbox *sandbox, const char *id, json_t **ret_process, struct err *e)
{
	CLEANUP(cleanup_free) char *wait = mem_printf("?wait=%d", WAIT_S);

	return process_call(sandbox, id, "GET", wait, NULL, ret_process, e);
}

/* A call that is cancelled ends what it has started. */
static int await_started(struct sandbox *sandbox, json_t **process, struct err *e)
{
	CLEANUP(json_decrefp) json_t *started = STEAL(*process);
	const char *id = json_string_value(json_object_get(started, "id"));

	if (id == NULL)
		return err_set(e, ERR_INTERNAL, "NOT_A_SANDBOX",
			       "the sandbox's response names no process");
	if (!site_is_cancelled(&sandbox->server, e) && await(sandbox, id, process, e) == 0)
		return 0;
	if (site_is_cancelled(&sandbox->server, e))
		process_end(sandbox, id, ENDING_S, e);
	return -1;
}

int mcp_run_agent(struct site *site, const json_t *a, json_t **ret_found, struct err *e)
{
	CLEANUP(json_decrefp) json_t *project = NULL, *task = NULL, *process = NULL;
	CLEANUP(sandbox_close) struct sandbox sandbox = { 0 };

	if (mcp_project(site, a, &project, e) < 0 ||
	    agent_prepare(site, project, mcp_string(a, "prompt"), &task, e) < 0 ||
	    sandbox_open(site, project, "exec", &sandbox, e) < 0 ||
	    agent_start(&sandbox, task, &process, e) < 0 ||
	    await_started(&sandbox, &process, e) < 0)
		return -1;
	return tell(&sandbox, process, json_string_value(json_object_get(task, "session")),
		    ret_found, e);
}

/* One that was started before, after a signal if `ending` is one. */
static int look_at_task(struct site *site, const json_t *a, const char *ending, json_t **ret_found,
			struct err *e)
{
	const char *id = mcp_string(a, "process");
	CLEANUP(json_decrefp) json_t *project = NULL, *process = NULL;
	CLEANUP(sandbox_close) struct sandbox sandbox = { 0 };

	if (mcp_project(site, a, &project, e) < 0 ||
	    sandbox_open(site, project, "exec", &sandbox, e) < 0 ||
	    (ending != NULL && process_signal(&sandbox, id, ending, e) < 0) ||
	    await(&sandbox, id, &process, e) < 0)
		return -1;
	return tell(&sandbox, process, NULL, ret_found, e);
}

int mcp_agent_task(struct site *site, const json_t *a, json_t **ret_found, struct err *e)
{
	return look_at_task(site, a, NULL, ret_found, e);
}

int mcp_end_agent_task(struct site *site, const json_t *a, json_t **ret_found, struct err *e)
{
	return look_at_task(site, a, "TERM", ret_found, e);
}
