/* sizes and resize. */
#include <stdio.h>
#include <string.h>

#include "ask.h"
#include "base/cleanup.h"
#include "base/json_at.h"
#include "base/mem.h"
#include "command.h"
#include "command/output.h"
#include "project.h"

static const struct output_column columns[] = {
	{ "name", "NAME" },
	{ "cpuLimit", "CPU" },
	{ "memoryLimit", "MEMORY" },
	{ "storageLimit", "STORAGE" },
	{ "description", "DESCRIPTION" },
};

int command_sizes(const struct call *call, struct err *e)
{
	CLEANUP(site_close) struct site site = { 0 };
	CLEANUP(json_decrefp) json_t *answer = NULL;

	if (call_site(call, &site, e) < 0 ||
	    site_call(&site, "GET", "/api/sizes", NULL, &answer, e) < 0)
		return -1;
	const json_t *sizes = json_object_get(answer, "items");
	if (!call_json(call, sizes))
		output_rows(columns, ARRAY_SIZE(columns), sizes);
	return 0;
}

/* The pod is replaced, which ends what runs in it; the site's question says if data is at risk. */
static int ask(const struct call *call, const char *question, struct err *e)
{
	CLEANUP(cleanup_free) char *safe = output_printable(question);
	bool yes = true;

	if (call->options[OPTION_YES] == NULL && ask_yes(safe, &yes, e) < 0)
		return -1;
	return yes ? 0 : err_set(e, ERR_CONFLICT, "NOT_CONFIRMED", "nothing was changed");
}

static int resize(const struct call *call, struct site *site, const json_t *project,
		  json_t **ret_sandbox, struct err *e)
{
	const char *size = call->arguments[1];
	CLEANUP(cleanup_free)
	char *question =
		mem_printf("%s's sandbox starts anew: its files stay, what runs in it ends.",
			   project_name(project));
	struct err refused;

	if (strcmp(size, "default") == 0)
		size = NULL;
	const json_t *desired = json_object_get(project_sandbox(project), "desired");
	if (strcmp(json_text(desired), "RUNNING") == 0 && ask(call, question, e) < 0)
		return -1;
	if (project_resize(site, project_id(project), size, false, ret_sandbox, &refused) == 0)
		return 0;
	*e = refused;
	if (refused.kind != ERR_DATA_AT_RISK || ask(call, refused.message, e) < 0)
		return -1;
	return project_resize(site, project_id(project), size, true, ret_sandbox, e);
}

int command_resize(const struct call *call, struct err *e)
{
	CLEANUP(site_close) struct site site = { 0 };
	CLEANUP(json_decrefp) json_t *project = NULL, *sandbox = NULL, *finished = NULL;

	if (call_site(call, &site, e) < 0 ||
	    project_find(&site, call->arguments[0], &project, e) < 0)
		return -1;
	if (project_sandbox(project) == NULL)
		return err_set(e, ERR_NOT_FOUND, "SANDBOX_NOT_FOUND", "the project has no sandbox");
	if (resize(call, &site, project, &sandbox, e) < 0)
		return -1;
	if (call->options[OPTION_WAIT] != NULL &&
	    project_wait(&site, project_id(project), "start", 0, &finished, e) < 0)
		return -1;
	if (!call_json(call, sandbox)) {
		output_line("cpu", json_string_value(json_object_get(sandbox, "cpuLimit")));
		output_line("memory", json_string_value(json_object_get(sandbox, "memoryLimit")));
	}
	return 0;
}
