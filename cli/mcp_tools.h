#ifndef FSA_CLI_MCP_TOOLS_H
#define FSA_CLI_MCP_TOOLS_H

#include "site.h"

/*
 * The tools that an agent can use by MCP. A tool is a row with its parameters; the schema that
 * clients are shown and the check of their arguments follow from the row. A model reads the
 * results, so those about projects contain no secret: no password, no value of a secret variable,
 * no way into a terminal.
 */
enum mcp_type { MCP_STRING, MCP_BOOL, MCP_INTEGER, MCP_STRINGS, MCP_MAP };

enum { MCP_PARAMETERS_MAX = 10 };

struct mcp_parameter {
	const char *name; /* NULL: the end */
	enum mcp_type type;
	bool required;
	const char *help;
};

enum mcp_effect { MCP_READS, MCP_ADDS, MCP_CHANGES };

struct mcp_tool {
	const char *name, *help;
	enum mcp_effect effect;
	/* The result is an object in `*ret_found`. The arguments have been checked. */
	int (*run)(struct site *site, const json_t *arguments, json_t **ret_found, struct err *e);
	struct mcp_parameter parameters[MCP_PARAMETERS_MAX];
};

const struct mcp_tool *mcp_tool_find(const char *name);
json_t *mcp_tools_list(void);
/* ERR_INVALID: the arguments are not those of the tool. */
int mcp_tool_run(const struct mcp_tool *tool, struct site *site, const json_t *arguments,
		 json_t **ret_found, struct err *e);

/* For all tools: a string argument, or NULL; the project that they name. */
const char *mcp_string(const json_t *arguments, const char *name);
int mcp_project(struct site *site, const json_t *arguments, json_t **ret_project, struct err *e);

int mcp_agent_task(struct site *site, const json_t *a, json_t **ret_found, struct err *e);
int mcp_end_agent_task(struct site *site, const json_t *a, json_t **ret_found, struct err *e);
int mcp_create_project(struct site *site, const json_t *a, json_t **ret_found, struct err *e);
int mcp_explain_project(struct site *site, const json_t *a, json_t **ret_found, struct err *e);
int mcp_list_environment(struct site *site, const json_t *a, json_t **ret_found, struct err *e);
int mcp_list_ports(struct site *site, const json_t *a, json_t **ret_found, struct err *e);
int mcp_list_projects(struct site *site, const json_t *a, json_t **ret_found, struct err *e);
int mcp_project_status(struct site *site, const json_t *a, json_t **ret_found, struct err *e);
int mcp_restart_project(struct site *site, const json_t *a, json_t **ret_found, struct err *e);
int mcp_set_environment(struct site *site, const json_t *a, json_t **ret_found, struct err *e);
int mcp_start_project(struct site *site, const json_t *a, json_t **ret_found, struct err *e);
int mcp_stop_project(struct site *site, const json_t *a, json_t **ret_found, struct err *e);
int mcp_list_files(struct site *site, const json_t *a, json_t **ret_found, struct err *e);
int mcp_read_file(struct site *site, const json_t *a, json_t **ret_found, struct err *e);
int mcp_read_log(struct site *site, const json_t *a, json_t **ret_found, struct err *e);
int mcp_run_agent(struct site *site, const json_t *a, json_t **ret_found, struct err *e);
int mcp_run_command(struct site *site, const json_t *a, json_t **ret_found, struct err *e);
int mcp_search_files(struct site *site, const json_t *a, json_t **ret_found, struct err *e);
int mcp_write_file(struct site *site, const json_t *a, json_t **ret_found, struct err *e);
int mcp_unset_environment(struct site *site, const json_t *a, json_t **ret_found, struct err *e);

#endif
