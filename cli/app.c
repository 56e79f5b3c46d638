/* app status, start, stop and restart: by the sandbox, which keeps it running. */
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "command.h"
#include "command/output.h"
#include "project.h"
#include "sandbox.h"

static const struct output_column fields[] = {
	{ "status", "application" }, { "command", "command" },
	{ "source", "  of" },        { "folder", "  in" },
	{ "restarts", "restarts" },  { "exitCode", "last exit code" },
	{ "signal", "ended by" },    { "retryInSeconds", "next start in seconds" },
};

static int request(const struct call *call, const char *method, const char *action, struct err *e)
{
	CLEANUP(site_close) struct site site = { 0 };
	CLEANUP(sandbox_close) struct sandbox sandbox = { 0 };
	CLEANUP(json_decrefp) json_t *project = NULL;
	CLEANUP(json_decrefp) json_t *app = NULL;
	CLEANUP(cleanup_free) char *path = mem_printf("/v1/app%s", action);

	if (call_site(call, &site, e) < 0 ||
	    project_find(&site, call->arguments[0], &project, e) < 0)
		return -1;
	const char *role = json_string_value(json_object_get(project, "role"));
	bool views = role != NULL && strcmp(role, "viewer") == 0;
	if (sandbox_open(&site, project, views ? "usage" : "exec usage", &sandbox, e) < 0 ||
	    site_call(&sandbox.server, method, path, NULL, &app, e) < 0)
		return -1;
	if (!call_json(call, app))
		output_fields(fields, ARRAY_SIZE(fields), app);
	return 0;
}

int command_app_status(const struct call *call, struct err *e)
{
	return request(call, "GET", "", e);
}

int command_app_start(const struct call *call, struct err *e)
{
	return request(call, "POST", "/start", e);
}

int command_app_stop(const struct call *call, struct err *e)
{
	return request(call, "POST", "/stop", e);
}

int command_app_restart(const struct call *call, struct err *e)
{
	return request(call, "POST", "/restart", e);
}
