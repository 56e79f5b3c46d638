/* agent: a task for the coding agent in a project's sandbox, followed until its end. */
#include "agent.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "command.h"
#include "command/output.h"
#include "process.h"
#include "project.h"
#include "run.h"

int agent_prepare(struct site *site, const json_t *project, const char *prompt, json_t **ret_task,
		  struct err *e)
{
	CLEANUP(cleanup_free)
	char *path = mem_printf("/api/projects/%s/agent", project_id(project));
	CLEANUP(json_decrefp) json_t *body = json_pack("{s:s}", "prompt", prompt);

	if (body == NULL)
		return err_set(e, ERR_INVALID, NULL, "the prompt is not text (UTF-8)");
	return site_call(site, "POST", path, body, ret_task, e);
}

static const json_t *body_of(const json_t *task)
{
	return json_object_get(json_object_get(task, "request"), "body");
}

int agent_start(struct sandbox *sandbox, const json_t *task, json_t **ret_process, struct err *e)
{
	return site_call(&sandbox->server, "POST", "/v1/processes", body_of(task), ret_process, e);
}

static int start(const struct call *call, struct sandbox *sandbox, const json_t *task,
		 struct err *e)
{
	CLEANUP(json_decrefp) json_t *process = NULL;
	const char *session = json_string_value(json_object_get(task, "session"));

	if (agent_start(sandbox, task, &process, e) < 0)
		return -1;
	CLEANUP(json_decrefp)
	json_t *started = json_pack("{s:s?, s:O*}", "session", session, "process",
				    json_object_get(process, "id"));
	if (!call_json(call, started)) {
		output_line("session", session);
		output_line("process", json_string_value(json_object_get(process, "id")));
	}
	return 0;
}

static void say_session(const struct call *call, const char *session)
{
	CLEANUP(cleanup_free) char *safe = output_printable(session != NULL ? session : "");

	(void)fprintf(stderr, "[fsa: to watch it, or to take over: fsa shell %s %s]\n",
		      call->arguments[0], safe);
}

static int follow(const struct call *call, struct sandbox *sandbox, const json_t *task,
		  struct err *e)
{
	const char *session = json_string_value(json_object_get(task, "session"));
	const struct process_options options = {
		.command = json_object_get(body_of(task), "command"),
		.environment = json_object_get(body_of(task), "environment"),
		.input = -1,
		.drop = true, /* it continues without us */
	};

	if (call->options[OPTION_JSON] == NULL)
		say_session(call, session);
	return run_process(call, sandbox, options, session, e);
}

int command_agent(const struct call *call, struct err *e)
{
	CLEANUP(site_close) struct site site = { 0 };
	CLEANUP(json_decrefp) json_t *project = NULL, *task = NULL;
	CLEANUP(sandbox_close) struct sandbox sandbox = { 0 };

	if (call_site(call, &site, e) < 0 ||
	    project_find(&site, call->arguments[0], &project, e) < 0 ||
	    agent_prepare(&site, project, call->arguments[1], &task, e) < 0 ||
	    sandbox_open(&site, project, "exec", &sandbox, e) < 0)
		return -1;
	return call->options[OPTION_DETACH] != NULL ? start(call, &sandbox, task, e)
						    : follow(call, &sandbox, task, e);
}
