/* MCP's tools for projects and their variables. */
#include <string.h>

#include "base/cleanup.h"
#include "mcp_tools.h"
#include "project.h"

/* Clients end a call after a minute. */
enum { WAIT_MS = 45000, EVENTS_SHOWN = 20 };

static void add_resources(const json_t *rows, const char *kind, json_t *list)
{
	static const char *const members[] = { "status", "statusSince", "stage" };
	const json_t *row;
	size_t i;

	json_array_foreach(rows, i, row)
	{
		json_t *shown = json_pack("{s:s}", "resource", kind);
		for (size_t m = 0; m < ARRAY_SIZE(members); m++) {
			json_t *value = json_object_get(row, members[m]);
			if (value != NULL)
				(void)json_object_set(shown, members[m], value);
		}
		(void)json_array_append_new(list, shown);
	}
}

/* A project without its secrets: the database's password and the terminal's address. */
static json_t *summary(const json_t *project)
{
	json_t *resources = json_array();

	add_resources(json_object_get(project, "sandboxes"), "sandbox", resources);
	add_resources(json_object_get(project, "databases"), "database", resources);
	return json_pack("{s:s, s:s, s:s, s:O*, s:O*, s:o, s:o}", "id", project_id(project), "name",
			 project_name(project), "status", project_status(project), "description",
			 json_object_get(project, "description"), "application",
			 json_object_get(project_sandbox(project), "publicUrl"), "resources",
			 resources, "problems", project_findings(project));
}

int mcp_list_projects(struct site *site, const json_t *a, json_t **ret_found, struct err *e)
{
	CLEANUP(json_decrefp) json_t *projects = NULL;
	json_t *list = json_array();
	const json_t *project;
	size_t i;

	(void)a;
	if (project_list(site, &projects, e) < 0) {
		json_decref(list);
		return -1;
	}
	json_array_foreach(projects, i, project)
	{
		(void)json_array_append_new(list, summary(project));
	}
	*ret_found = json_pack("{s:o}", "projects", list);
	return 0;
}

static int wait_and_show(struct site *site, const char *id, const char *verb, json_t **ret_found,
			 struct err *e)
{
	CLEANUP(json_decrefp) json_t *project = NULL;

	if (project_wait(site, id, verb, WAIT_MS, &project, e) < 0)
		return -1;
	*ret_found = summary(project);
	return 0;
}

int mcp_create_project(struct site *site, const json_t *a, json_t **ret_found, struct err *e)
{
	CLEANUP(json_decrefp) json_t *project = NULL;
	const struct project_new wanted = {
		.name = mcp_string(a, "name"),
		.description = mcp_string(a, "description"),
		.size = mcp_string(a, "size"),
		.image = mcp_string(a, "image"),
		.cluster = mcp_string(a, "cluster"),
		.repository = mcp_string(a, "repository"),
		.branch = mcp_string(a, "branch"),
		.database = !json_is_false(json_object_get(a, "database")),
	};

	if (wanted.branch != NULL && wanted.repository == NULL)
		return err_set(e, ERR_INVALID, "USAGE", "branch is that of a repository");
	if (project_create(site, &wanted, &project, e) < 0)
		return -1;
	return wait_and_show(site, project_id(project), "create", ret_found, e);
}

static int change(struct site *site, const json_t *a, const char *verb, json_t **ret_found,
		  struct err *e)
{
	CLEANUP(json_decrefp) json_t *project = NULL;

	if (mcp_project(site, a, &project, e) < 0 ||
	    project_change(site, project_id(project), verb, false, NULL, e) < 0)
		return -1;
	return wait_and_show(site, project_id(project), verb, ret_found, e);
}

int mcp_start_project(struct site *site, const json_t *a, json_t **ret_found, struct err *e)
{
	return change(site, a, "start", ret_found, e);
}

int mcp_stop_project(struct site *site, const json_t *a, json_t **ret_found, struct err *e)
{
	return change(site, a, "stop", ret_found, e);
}

int mcp_restart_project(struct site *site, const json_t *a, json_t **ret_found, struct err *e)
{
	return change(site, a, "restart", ret_found, e);
}

int mcp_project_status(struct site *site, const json_t *a, json_t **ret_found, struct err *e)
{
	CLEANUP(json_decrefp) json_t *project = NULL;

	if (mcp_project(site, a, &project, e) < 0)
		return -1;
	*ret_found = summary(project);
	return 0;
}

int mcp_explain_project(struct site *site, const json_t *a, json_t **ret_found, struct err *e)
{
	CLEANUP(json_decrefp) json_t *project = NULL;
	CLEANUP(json_decrefp) json_t *events = NULL;

	if (mcp_project(site, a, &project, e) < 0 ||
	    project_events(site, project_id(project), EVENTS_SHOWN, &events, e) < 0)
		return -1;
	*ret_found = summary(project);
	(void)json_object_set(*ret_found, "events", events);
	return 0;
}

/* ---- variables ------------------------------------------------------------------------------- */

int mcp_list_environment(struct site *site, const json_t *a, json_t **ret_found, struct err *e)
{
	CLEANUP(json_decrefp) json_t *project = NULL;
	json_t *variables = NULL;

	if (mcp_project(site, a, &project, e) < 0 ||
	    project_variables(site, project_id(project), false, &variables, e) < 0)
		return -1;
	*ret_found = json_pack("{s:o}", "variables", variables);
	return 0;
}

int mcp_set_environment(struct site *site, const json_t *a, json_t **ret_found, struct err *e)
{
	CLEANUP(json_decrefp) json_t *project = NULL;
	CLEANUP(json_decrefp)
	json_t *variables = project_make_variables(json_object_get(a, "variables"),
						   json_is_true(json_object_get(a, "secret")));

	if (mcp_project(site, a, &project, e) < 0 ||
	    project_set_variables(site, project_id(project), variables, false, e) < 0)
		return -1;
	*ret_found = json_pack("{s:I}", "set", (json_int_t)json_array_size(variables));
	return 0;
}

int mcp_unset_environment(struct site *site, const json_t *a, json_t **ret_found, struct err *e)
{
	CLEANUP(json_decrefp) json_t *project = NULL;
	const json_t *names = json_object_get(a, "names");

	if (mcp_project(site, a, &project, e) < 0 ||
	    project_unset_variables(site, project_id(project), names, false, e) < 0)
		return -1;
	*ret_found = json_pack("{s:I}", "removed", (json_int_t)json_array_size(names));
	return 0;
}
