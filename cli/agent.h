#ifndef FSA_CLI_AGENT_H
#define FSA_CLI_AGENT_H

#include "sandbox.h"

/* Tasks for the coding agent in a sandbox, for the command and for MCP's tools. */

/* What starts a task: AgentTask of web/openapi.json. */
int agent_prepare(struct site *site, const json_t *project, const char *prompt, json_t **ret_task,
		  struct err *e);
/* Starts it. */
int agent_start(struct sandbox *sandbox, const json_t *task, json_t **ret_process, struct err *e);

#endif
