/* The table of MCP's tools, and what follows from it: their schema and the check of arguments. */
#include "mcp_tools.h"

#include <string.h>

#include "base/cleanup.h"
#include "project.h"

#define PROJECT                                                                                    \
	{                                                                                          \
		"project", MCP_STRING, true, "name or id of the project"                           \
	}

#define FILE_PATH                                                                                  \
	{                                                                                          \
		"path", MCP_STRING, true, "absolute, or relative to the home directory"            \
	}

static const struct mcp_tool tools[] = {
	{ "list_projects",
	  "The user's projects, with their status and addresses.",
	  MCP_READS,
	  mcp_list_projects,
	  { { 0 } } },
	{ "create_project",
	  "Creates a project: a sandbox and, unless `database` is false, a PostgreSQL database. "
	  "Waits up to 45 seconds until it runs.",
	  MCP_ADDS,
	  mcp_create_project,
	  { { "name", MCP_STRING, true,
	      "letters, digits, spaces and hyphens; begins with a letter" },
	    { "description", MCP_STRING, false, "what it is for" },
	    { "size", MCP_STRING, false, "one of the site's sizes, for more memory or CPU" },
	    { "image", MCP_STRING, false, "one of the site's images" },
	    { "cluster", MCP_STRING, false, "one of the user's clusters, by its name" },
	    { "repository", MCP_STRING, false, "https:// address of a git repository to clone" },
	    { "branch", MCP_STRING, false, "of the repository" },
	    { "database", MCP_BOOL, false, "default true" } } },
	{ "start_project",
	  "Starts a project, and waits up to 45 seconds until it runs.",
	  MCP_CHANGES,
	  mcp_start_project,
	  { PROJECT } },
	{ "stop_project",
	  "Stops a project, and waits up to 45 seconds. Files and data stay; processes end.",
	  MCP_CHANGES,
	  mcp_stop_project,
	  { PROJECT } },
	{ "restart_project",
	  "Replaces the sandbox's pod, and waits up to 45 seconds. Files stay; processes end.",
	  MCP_CHANGES,
	  mcp_restart_project,
	  { PROJECT } },
	{ "project_status",
	  "A project's status, and what is wrong with it.",
	  MCP_READS,
	  mcp_project_status,
	  { PROJECT } },
	{ "explain_project",
	  "Why a project has its status, what to do about it, and what happened to it.",
	  MCP_READS,
	  mcp_explain_project,
	  { PROJECT } },
	{ "list_environment",
	  "A project's variables; values of secret ones are hidden.",
	  MCP_READS,
	  mcp_list_environment,
	  { PROJECT } },
	{ "set_environment",
	  "Adds or replaces variables; the others stay. A running sandbox restarts with them.",
	  MCP_CHANGES,
	  mcp_set_environment,
	  { PROJECT,
	    { "variables", MCP_MAP, true, "names and their values" },
	    { "secret", MCP_BOOL, false, "hide these values in lists" } } },
	{ "unset_environment",
	  "Removes variables. A running sandbox restarts without them.",
	  MCP_CHANGES,
	  mcp_unset_environment,
	  { PROJECT, { "names", MCP_STRINGS, true, "names of variables" } } },
	{ "run_command",
	  "Runs a line of bash in the sandbox's home directory, and waits for its end. A command "
	  "that takes longer than its timeout is ended: run servers in the background with nohup, "
	  "with their output in a file.",
	  MCP_CHANGES,
	  mcp_run_command,
	  { PROJECT,
	    { "command", MCP_STRING, true, "for bash -c" },
	    { "timeoutSeconds", MCP_INTEGER, false, "default 50, at most 3600" } } },
	{ "run_agent",
	  "Has the coding agent in the sandbox do what the prompt says, unattended, and waits up "
	  "to 45 seconds for its end; a call that is cancelled meanwhile ends it. While its status "
	  "is running, it goes on by itself: agent_task says how, and end_agent_task ends it.",
	  MCP_CHANGES,
	  mcp_run_agent,
	  { PROJECT, { "prompt", MCP_STRING, true, "what to do" } } },
	{ "agent_task",
	  "State and output of a task of run_agent; waits up to 45 seconds for its end.",
	  MCP_READS,
	  mcp_agent_task,
	  { PROJECT, { "process", MCP_STRING, true, "the process that run_agent returned" } } },
	{ "end_agent_task",
	  "Ends a task of run_agent, and returns its state and output.",
	  MCP_CHANGES,
	  mcp_end_agent_task,
	  { PROJECT, { "process", MCP_STRING, true, "the process that run_agent returned" } } },
	{ "read_file",
	  "Reads a text file of at most 1 MiB in the sandbox.",
	  MCP_READS,
	  mcp_read_file,
	  { PROJECT, FILE_PATH } },
	{ "write_file",
	  "Writes a text file in the sandbox, replacing an existing one. Creates missing folders.",
	  MCP_CHANGES,
	  mcp_write_file,
	  { PROJECT, FILE_PATH, { "content", MCP_STRING, true, "the whole new file" } } },
	{ "list_files",
	  "Lists a folder of the sandbox.",
	  MCP_READS,
	  mcp_list_files,
	  { PROJECT, FILE_PATH } },
	{ "list_ports",
	  "TCP ports on which programs of the sandbox listen. The application's public address, "
	  "which "
	  "project_status has, leads to port 3000.",
	  MCP_READS,
	  mcp_list_ports,
	  { PROJECT } },
	{ "read_log",
	  "The end of a log: `app` is what the application printed, the process that was started "
	  "with "
	  "that name; `start` is what happened at the sandbox's start.",
	  MCP_READS,
	  mcp_read_log,
	  { PROJECT, { "log", MCP_STRING, false, "app (the default) or start" } } },
	{ "search_files",
	  "Lines of text files that match an extended regular expression, as grep -rn prints them; "
	  "node_modules and .git are left out.",
	  MCP_READS,
	  mcp_search_files,
	  { PROJECT,
	    { "pattern", MCP_STRING, true, "an extended regular expression" },
	    { "path", MCP_STRING, false, "file or folder; default: the home directory" } } },
};

static const char *const type_names[] = {
	[MCP_STRING] = "string", [MCP_BOOL] = "boolean", [MCP_INTEGER] = "integer",
	[MCP_STRINGS] = "array", [MCP_MAP] = "object",
};

const struct mcp_tool *mcp_tool_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(tools); i++) {
		if (strcmp(tools[i].name, name) == 0)
			return &tools[i];
	}
	return NULL;
}

/* ---- the list of tools ----------------------------------------------------------------------- */

static json_t *parameter_schema(const struct mcp_parameter *p)
{
	json_t *schema =
		json_pack("{s:s, s:s}", "type", type_names[p->type], "description", p->help);
	json_t *strings = json_pack("{s:s}", "type", "string");

	if (p->type == MCP_STRINGS)
		(void)json_object_set(schema, "items", strings);
	if (p->type == MCP_MAP)
		(void)json_object_set(schema, "additionalProperties", strings);
	json_decref(strings);
	return schema;
}

static json_t *input_schema(const struct mcp_tool *tool)
{
	json_t *properties = json_object(), *required = json_array();

	for (const struct mcp_parameter *p = tool->parameters; p->name != NULL; p++) {
		(void)json_object_set_new(properties, p->name, parameter_schema(p));
		if (p->required)
			(void)json_array_append_new(required, json_string(p->name));
	}
	return json_pack("{s:s, s:o, s:o, s:b}", "type", "object", "properties", properties,
			 "required", required, "additionalProperties", 0);
}

json_t *mcp_tools_list(void)
{
	json_t *list = json_array();

	for (size_t i = 0; i < ARRAY_SIZE(tools); i++) {
		const struct mcp_tool *t = &tools[i];
		json_t *hints =
			json_pack("{s:b, s:b, s:b}", "readOnlyHint", t->effect == MCP_READS,
				  "destructiveHint", t->effect == MCP_CHANGES, "openWorldHint", 0);
		(void)json_array_append_new(list, json_pack("{s:s, s:s, s:o, s:o}", "name", t->name,
							    "description", t->help, "inputSchema",
							    input_schema(t), "annotations", hints));
	}
	return list;
}

/* ---- the check of arguments ------------------------------------------------------------------ */

static bool are_strings(const json_t *value)
{
	const char *key;
	json_t *member;
	size_t i;

	json_array_foreach(value, i, member)
	{
		if (!json_is_string(member))
			return false;
	}
	/* clang-format off */
	json_object_foreach((json_t *)(uintptr_t)value, key, member)
	/* clang-format on */
	{
		if (!json_is_string(member))
			return false;
	}
	return true;
}

static bool is_of_type(const json_t *value, enum mcp_type type)
{
	switch (type) {
	case MCP_STRING:
		return json_is_string(value);
	case MCP_BOOL:
		return json_is_boolean(value);
	case MCP_INTEGER:
		return json_is_integer(value);
	case MCP_STRINGS:
		return json_is_array(value) && are_strings(value);
	case MCP_MAP:
		return json_is_object(value) && are_strings(value);
	}
	return false;
}

static int check_arguments(const struct mcp_tool *tool, const json_t *arguments, struct err *e)
{
	size_t known = 0;

	if (arguments != NULL && !json_is_object(arguments))
		return err_set(e, ERR_INVALID, NULL, "arguments are an object");
	for (const struct mcp_parameter *p = tool->parameters; p->name != NULL; p++) {
		const json_t *value = json_object_get(arguments, p->name);
		known += value != NULL;
		if (value == NULL && p->required)
			return err_set(e, ERR_INVALID, NULL, "%s is missing: %s", p->name, p->help);
		if (value != NULL && !is_of_type(value, p->type))
			return err_set(e, ERR_INVALID, NULL, "%s is not %s: %s", p->name,
				       type_names[p->type], p->help);
	}
	if (known < json_object_size(arguments))
		return err_set(e, ERR_INVALID, NULL,
			       "%s takes no such argument; tools/list has those that it takes",
			       tool->name);
	return 0;
}

int mcp_tool_run(const struct mcp_tool *tool, struct site *site, const json_t *arguments,
		 json_t **ret_found, struct err *e)
{
	if (check_arguments(tool, arguments, e) < 0)
		return -1;
	return tool->run(site, arguments, ret_found, e);
}

const char *mcp_string(const json_t *arguments, const char *name)
{
	return json_string_value(json_object_get(arguments, name));
}

int mcp_project(struct site *site, const json_t *arguments, json_t **ret_project, struct err *e)
{
	return project_find(site, mcp_string(arguments, "project"), ret_project, e);
}
