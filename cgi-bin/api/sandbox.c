#include "api.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "checks.h"
#include "domain/project.h"
#include "render.h"
#include "store/contexts.h"
#include "store/project.h"
#include "web/json.h"

enum {
	REQUEST_VARIABLES_MAX_COUNT = 256,
	SEALED_ENV_MAX = 1048576,
};

const struct field sandbox_start_fields[] = {
	{ .name = "envVars",
	  .type = FIELD_STRING_MAP,
	  .max = REQUEST_VARIABLES_MAX_COUNT,
	  .pattern = ENVIRONMENT_KEY_PATTERN,
	  .check = check_variable_value,
	  .check_key = environment_key_check },
	FIELD_FORCE,
	FIELDS_END,
};

/* The stages that it goes through, each with how far it is. */
static json_t *progress(const struct sandbox_view *view)
{
	const struct resource *r = &view->sandbox.resource;
	enum status database = view->has_database ? view->database_status : STATUS_RUNNING;
	json_t *stages = json_array();

	for (int stage = view->has_database ? STAGE_DATABASE : STAGE_CONTAINER; stage < STAGE_COUNT;
	     stage++)
		json_array_append_new(
			stages,
			json_pack("{s:s, s:s}", "name", stage_name((enum stage)stage), "state",
				  stage_state((enum stage)stage, r->stage, r->status, database)));
	return json_pack("{s:s, s:o}", "stage", stage_name(stage_reached(r->stage, database)),
			 "stages", stages);
}

static int answer_view(struct call *c, const struct sandbox_view *view, struct err *e)
{
	json_t *sandbox;

	if (render_sandbox(c, &view->sandbox, RENDER_DETAILED, &sandbox, e) < 0)
		return -1;
	json_object_set_new(sandbox, "projectName", json_string(view->project.name));
	json_object_set_new(sandbox, "projectStatus",
			    json_string(status_name(view->project.status)));
	json_object_set_new(sandbox, "databaseStatus",
			    view->has_database ? json_string(status_name(view->database_status))
					       : json_null());
	json_object_set_new(sandbox, "progress", progress(view));
	response_json(c->response, 200, sandbox);
	return 0;
}

int sandbox_read(struct call *c, struct err *e)
{
	CLEANUP(sandbox_view_clear) struct sandbox_view view = { .result = NULL };

	if (sandbox_get(c->db, c->session->user_id, c->params[0], &view, e) < 0)
		return -1;
	return answer_view(c, &view, e);
}

/* A sandbox that is there keeps its id: what is sealed for it names that. */
static int take_current_id(const struct call *c, struct new_sandbox *made, struct err *e)
{
	CLEANUP(sandbox_view_clear) struct sandbox_view view = { .result = NULL };

	if (sandbox_get(c->db, c->session->user_id, c->params[0], &view, e) < 0)
		return strcmp(e->code, "SANDBOX_NOT_FOUND") == 0 ? 0 : -1;
	memcpy(made->id, view.sandbox.resource.id, sizeof(made->id));
	return 0;
}

/* The request's variables, sealed for the sandbox that gets them. None given: none sealed. */
static int seal_request_env(const struct call *c, const char *sandbox_id, struct buf *ret_sealed,
			    struct err *e)
{
	const json_t *variables = json_object_get(c->body, "envVars");
	CLEANUP(cleanup_free) char *context = mem_printf(CONTEXT_REQUEST_ENV, sandbox_id);

	if (variables == NULL)
		return 0;
	char *text = json_dumps(variables, JSON_COMPACT | JSON_SORT_KEYS);
	int sealed = api_seal(c, API_OWNER, context, text, strlen(text), ret_sealed, e);
	explicit_bzero(text, strlen(text));
	free(text);
	return sealed;
}

static int start(struct call *c, const struct project *project, struct err *e)
{
	CLEANUP(new_sandbox_clear) struct new_sandbox made = { .id = "" };
	CLEANUP(buf_release) struct buf env = BUF_INIT(SEALED_ENV_MAX);

	if (api_new_sandbox(c, &made, e) < 0 || take_current_id(c, &made, e) < 0 ||
	    seal_request_env(c, made.id, &env, e) < 0)
		return -1;
	return sandbox_start(c->db, c->session->user_id, project->id, &made.row, env.data,
			     env.length, e);
}

int sandbox_post(struct call *c, struct err *e)
{
	CLEANUP(project_rows_clear) struct project_rows rows = { .count = 0 };
	CLEANUP(sandbox_view_clear) struct sandbox_view view = { .result = NULL };
	const char *user_id = c->session->user_id;
	unsigned request = RISK_STARTS | (field_given(c->body, "envVars") ? RISK_ENDS_SANDBOX : 0);

	if (project_get(c->db, user_id, c->params[0], &rows, e) < 0 ||
	    api_ask_risk(c, request, e) < 0 || start(c, &rows.items[0].project, e) < 0 ||
	    sandbox_get(c->db, user_id, c->params[0], &view, e) < 0)
		return -1;
	return answer_view(c, &view, e);
}

int sandbox_delete(struct call *c, struct err *e)
{
	CLEANUP(sandbox_view_clear) struct sandbox_view view = { .result = NULL };
	const char *user_id = c->session->user_id;

	if (sandbox_terminate(c->db, user_id, c->params[0], e) < 0 ||
	    sandbox_get(c->db, user_id, c->params[0], &view, e) < 0)
		return -1;
	response_json(c->response, 200,
		      render_request("Sandbox termination requested - the database is kept",
				     &view.project));
	return 0;
}
