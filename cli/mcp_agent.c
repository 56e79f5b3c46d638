/* MCP's tools for tasks of the coding agent in a sandbox. */
#include <string.h>

#include "agent.h"
#include "base/cleanup.h"
#include "base/mem.h"
#include "mcp_tools.h"
#include "run.h"

enum { WAIT_S = 45 /* clients end a call after a minute */ };

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

int mcp_run_agent(struct site *site, const json_t *a, json_t **ret_found, struct err *e)
{
	CLEANUP(json_decrefp) json_t *project = NULL, *task = NULL, *process = NULL;
	CLEANUP(sandbox_close) struct sandbox sandbox = { 0 };

	if (mcp_project(site, a, &project, e) < 0 ||
	    agent_prepare(site, project, mcp_string(a, "prompt"), &task, e) < 0 ||
	    sandbox_open(site, project, "exec", &sandbox, e) < 0 ||
	    agent_start(&sandbox, task, WAIT_S, &process, e) < 0)
		return -1;
	return tell(&sandbox, process, json_string_value(json_object_get(task, "session")),
		    ret_found, e);
}

int mcp_agent_task(struct site *site, const json_t *a, json_t **ret_found, struct err *e)
{
	CLEANUP(json_decrefp) json_t *project = NULL, *process = NULL;
	CLEANUP(sandbox_close) struct sandbox sandbox = { 0 };
	CLEANUP(cleanup_free) char *id = site_escape(mcp_string(a, "process"));
	CLEANUP(cleanup_free) char *path = mem_printf("/v1/processes/%s?wait=%d", id, WAIT_S);

	if (mcp_project(site, a, &project, e) < 0 ||
	    sandbox_open(site, project, "exec", &sandbox, e) < 0 ||
	    site_call(&sandbox.server, "GET", path, NULL, &process, e) < 0)
		return -1;
	return tell(&sandbox, process, NULL, ret_found, e);
}
