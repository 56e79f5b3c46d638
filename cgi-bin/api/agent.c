/*
 * An agent's task: the coding agent of a sandbox does what a prompt says, unattended, in a terminal
 * session that its owner can watch. What is done in a sandbox does not go through the site: the
 * answer is a token for sandboxd and the request that starts the task there, as a process.
 */
#include "api.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/quantity.h"
#include "crypto/token.h"
#include "store/project.h"
#include "web/json.h"

#define PROGRAM       "/usr/lib/fullstack-agent/agent-task" /* runtime/sandbox */
#define PROCESS_NAME  "agent"
#define SESSION       "agent-%.12s"
#define MEMORY_NEEDED "512Mi"

enum { PROMPT_MAX = 16384, SESSION_MAX = 32, EXPIRES_S = 3600 };

const struct field agent_fields[] = {
	{ .name = "prompt", .type = FIELD_STRING, .required = true, .min = 1, .max = PROMPT_MAX },
	FIELDS_END,
};

int agent_check_memory(const struct sandbox *sandbox, struct err *e)
{
	if (quantity_compare(sandbox->resource.memory_limit, MEMORY_NEEDED) < 0)
		return err_set(e, ERR_UNPROCESSABLE, "TOO_LITTLE_MEMORY",
			       "An agent needs " MEMORY_NEEDED
			       " of memory, and this sandbox has %s: choose a larger size, or "
			       "ask whoever runs the site for one",
			       sandbox->resource.memory_limit);
	return 0;
}

static int check_sandbox(const struct sandbox *sandbox, struct err *e)
{
	if (sandbox->resource.desired != DESIRED_RUNNING)
		return err_set(e, ERR_CONFLICT, "SANDBOX_NOT_RUNNING",
			       "The sandbox is stopped: start it first");
	return agent_check_memory(sandbox, e);
}

/* With the key, a repeated request starts no second task. */
static json_t *start_request(const char *session, const char *prompt)
{
	json_t *body = json_pack("{s:[s, s], s:{s:s}, s:s, s:s}", "command", PROGRAM, session,
				 "environment", "FSA_AGENT_PROMPT", prompt, "name", PROCESS_NAME,
				 "overflow", "drop");

	return json_pack("{s:s, s:s, s:{s:s}, s:o}", "method", "POST", "path", "/v1/processes",
			 "headers", "Idempotency-Key", session, "body", body);
}

int agent_post(struct call *c, struct err *e)
{
	CLEANUP(sandbox_view_clear) struct sandbox_view view = { .result = NULL };
	CLEANUP(json_decrefp) json_t *scopes = json_pack("[s]", "exec");
	char random[TOKEN_LENGTH + 1], session[SESSION_MAX];
	json_t *answer;

	if (sandbox_get(c->db, c->owner_id, c->params[0], SANDBOX_FIRST, &view, e) < 0 ||
	    check_sandbox(&view.sandbox, e) < 0 ||
	    api_sandbox_token(c, &view, scopes, EXPIRES_S, &answer, e) < 0)
		return -1;
	token_make(random);
	(void)snprintf(session, sizeof(session), SESSION, random);
	json_object_set_new(answer, "session", json_string(session));
	json_object_set_new(answer, "request",
			    start_request(session, field_string(c->body, "prompt")));
	response_json(c->response, 200, answer);
	return 0;
}
