/* projects and create. */
#include <stdio.h>

#include "base/cleanup.h"
#include "command.h"
#include "command/output.h"
#include "project.h"

static const struct output_column columns[] = {
	{ "name", "NAME" },         { "status", "STATUS" },         { "role", "ROLE" },
	{ "createdAt", "CREATED" }, { "publicUrl", "APPLICATION" }, { "id", "ID" },
};

/* The application's address is that of the sandbox. */
static json_t *rows_of(const json_t *projects)
{
	json_t *rows = json_array();
	json_t *project;
	size_t i;

	json_array_foreach(projects, i, project)
	{
		json_t *row = json_copy(project);
		json_t *url = json_object_get(project_sandbox(project), "publicUrl");
		if (url != NULL)
			(void)json_object_set(row, "publicUrl", url);
		(void)json_array_append_new(rows, row);
	}
	return rows;
}

int command_projects(const struct call *call, struct err *e)
{
	CLEANUP(site_close) struct site site = { 0 };
	CLEANUP(json_decrefp) json_t *projects = NULL;

	if (call_site(call, &site, e) < 0 || project_list(&site, &projects, e) < 0)
		return -1;
	if (call_json(call, projects))
		return 0;
	CLEANUP(json_decrefp) json_t *rows = rows_of(projects);
	output_rows(columns, ARRAY_SIZE(columns), rows);
	return 0;
}

int command_create(const struct call *call, struct err *e)
{
	CLEANUP(site_close) struct site site = { 0 };
	CLEANUP(json_decrefp) json_t *project = NULL;
	CLEANUP(json_decrefp) json_t *finished = NULL;

	struct project_new wanted = {
		.name = call->arguments[0],
		.description = call->options[OPTION_DESCRIPTION],
		.size = call->options[OPTION_SIZE],
		.image = call->options[OPTION_IMAGE],
		.cluster = call->options[OPTION_CLUSTER],
		.template = call->options[OPTION_TEMPLATE],
		.database = call->options[OPTION_NO_DATABASE] == NULL,
		.starter = call->options[OPTION_STARTER] != NULL,
		.agent_at_start = call->options[OPTION_AGENT] != NULL,
		.repository = call->options[OPTION_REPOSITORY],
		.branch = call->options[OPTION_BRANCH],
		.folder = call->options[OPTION_FOLDER],
	};
	if (wanted.repository == NULL && (wanted.branch != NULL || wanted.folder != NULL))
		return err_set(e, ERR_INVALID, "USAGE",
			       "--branch and --folder are those of a --repository");
	const char *expires = call->options[OPTION_EXPIRES];
	if (expires != NULL && project_parse_hours(expires, &wanted.lifetime_hours, e) < 0)
		return -1;
	if (call_site(call, &site, e) < 0 || project_create(&site, &wanted, &project, e) < 0)
		return -1;
	if (call->options[OPTION_WAIT] != NULL &&
	    project_wait(&site, project_id(project), "create", 0, &finished, e) < 0)
		return -1;
	const json_t *shown = finished != NULL ? finished : project;
	if (!call_json(call, shown)) {
		output_line("project", project_name(shown));
		output_line("id", project_id(shown));
		output_line("status", project_status(shown));
	}
	return 0;
}
