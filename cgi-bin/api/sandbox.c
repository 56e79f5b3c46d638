#include "api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "checks.h"
#include "domain/project.h"
#include "render.h"
#include "store/contexts.h"
#include "store/crash_log.h"
#include "store/project.h"
#include "web/json.h"

enum {
	REQUEST_VARIABLES_MAX_COUNT = 256,
	SEALED_ENV_MAX = 1048576,
	CRASH_LOG_MAX = 8192,
};

/* clang-format off */
#define FIELD_ENV_VARS                                                                             \
	{ .name = "envVars", .type = FIELD_STRING_MAP, .max = REQUEST_VARIABLES_MAX_COUNT,         \
	  .pattern = ENVIRONMENT_KEY_PATTERN, .check = check_variable_value,                       \
	  .check_key = environment_key_check }
/* clang-format on */

const struct field sandbox_start_fields[] = { FIELD_ENV_VARS, FIELD_FORCE, FIELDS_END };

/* A sandbox's name follows the rules for a project's. */
const struct field sandbox_add_fields[] = {
	{ .name = "displayName",
	  .type = FIELD_STRING,
	  .nullable = true,
	  .max = PROJECT_NAME_MAX,
	  .pattern = PROJECT_NAME_PATTERN,
	  .check = check_display_name },
	FIELD_ENV_VARS,
	FIELD_SIZE,
	FIELD_IMAGE,
	FIELDS_END,
};

const struct field sandbox_change_fields[] = { FIELD_SIZE, FIELD_IMAGE, FIELD_FORCE, FIELDS_END };

/* What it printed before it crashed may contain secrets, which are the owner's, and not for
 * read-only tokens. */
static int add_crash_log(const struct call *c, const struct resource *r, json_t *sandbox,
			 struct err *e)
{
	CLEANUP(crash_log_clear) struct crash_log log = { .result = NULL };
	CLEANUP(cleanup_free) char *context = mem_printf(CONTEXT_CRASH_LOG, r->id);
	CLEANUP(buf_wipe) struct buf text = BUF_INIT(CRASH_LOG_MAX);

	if (c->session->read_only || c->role != PROJECT_OWNER || r->cause_kind == NULL ||
	    strcmp(r->cause_kind, err_kind_name(ERR_POD_CRASH)) != 0)
		return 0;
	if (crash_log_get(c->db, c->owner_id, r->id, &log, e) < 0)
		return -1;
	if (log.sealed == NULL)
		return 0;
	if (api_unseal(c, context, log.sealed, log.sealed_length, &text, e) < 0)
		return -1;
	return json_object_set_new(
		json_object_get(sandbox, "cause"), "log",
		json_pack("{s:s, s:s}", "readAt", log.read_at, "text", text.data));
}

static int answer_view(struct call *c, const struct sandbox_view *view, struct err *e)
{
	CLEANUP(json_decrefp) json_t *sandbox = NULL;

	if (render_sandbox(c, &view->sandbox, RENDER_DETAILED, &sandbox, e) < 0 ||
	    add_crash_log(c, &view->sandbox.resource, sandbox, e) < 0)
		return -1;
	json_object_set_new(sandbox, "projectName", json_string(view->project.name));
	json_object_set_new(sandbox, "projectStatus",
			    json_string(status_name(view->project.status)));
	json_object_set_new(sandbox, "databaseStatus",
			    view->has_database ? json_string(status_name(view->database_status))
					       : json_null());
	json_object_set_new(sandbox, "progress", render_progress(view));
	response_json(c->response, 200, STEAL(sandbox));
	return 0;
}

/* The sandbox that a path names, also for the audit; /api/sandbox/:projectId is the first one. */
static const char *chosen(struct call *c)
{
	if (c->params[1] == NULL)
		return SANDBOX_FIRST;
	(void)snprintf(c->object_id, sizeof(c->object_id), "%s", c->params[1]);
	return c->params[1];
}

static int get(const struct call *c, const char *sandbox_id, struct sandbox_view *ret_view,
	       struct err *e)
{
	return sandbox_get(c->db, c->owner_id, c->params[0], sandbox_id, ret_view, e);
}

static int answer(struct call *c, const char *sandbox_id, struct err *e)
{
	CLEANUP(sandbox_view_clear) struct sandbox_view view = { .result = NULL };

	return get(c, sandbox_id, &view, e) < 0 ? -1 : answer_view(c, &view, e);
}

int sandbox_read(struct call *c, struct err *e)
{
	return answer(c, chosen(c), e);
}

/* An existing sandbox keeps its id, because values sealed for it contain that. */
static int take_current_id(const struct call *c, struct new_sandbox *made, struct err *e)
{
	CLEANUP(sandbox_view_clear) struct sandbox_view view = { .result = NULL };

	if (get(c, SANDBOX_FIRST, &view, e) < 0)
		return strcmp(e->code, "SANDBOX_NOT_FOUND") == 0 ? 0 : -1;
	memcpy(made->id, view.sandbox.resource.id, sizeof(made->id));
	return 0;
}

/* Seals the request's variables for their sandbox; seals nothing if there are none. */
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

/* Seals the request's variables into `env`, which the row then points to. */
static int complete(const struct call *c, struct new_sandbox *made, struct buf *env, struct err *e)
{
	if (seal_request_env(c, made->id, env, e) < 0)
		return -1;
	made->row.request_env_sealed = env->data;
	made->row.request_env_sealed_length = env->length;
	return 0;
}

int sandbox_post(struct call *c, struct err *e)
{
	CLEANUP(new_sandbox_clear) struct new_sandbox made = { .id = "" };
	CLEANUP(buf_release) struct buf env = BUF_INIT(SEALED_ENV_MAX);
	unsigned request = RISK_STARTS | (field_given(c->body, "envVars") ? RISK_ENDS_SANDBOX : 0);

	if (api_ask_risk(c, SANDBOX_FIRST, request, e) < 0 || api_new_sandbox(c, &made, e) < 0 ||
	    take_current_id(c, &made, e) < 0 || complete(c, &made, &env, e) < 0 ||
	    sandbox_start(c->db, c->owner_id, c->params[0], &made.row, e) < 0)
		return -1;
	return answer(c, SANDBOX_FIRST, e);
}

/* What is not given does not change; null means the operator's default. */
int sandbox_patch(struct call *c, struct err *e)
{
	const char *user_id = c->owner_id, *project_id = c->params[0], *id = chosen(c);
	bool size = field_given(c->body, "size"), image = field_given(c->body, "image");

	if ((size || image) && api_ask_risk(c, id, RISK_ENDS_SANDBOX, e) < 0)
		return -1;
	if (size &&
	    sandbox_resize(c->db, user_id, project_id, id, field_string(c->body, "size"), e) < 0)
		return -1;
	if (image && sandbox_change_image(c->db, user_id, project_id, id,
					  field_string(c->body, "image"), e) < 0)
		return -1;
	return answer(c, chosen(c), e);
}

int sandbox_delete(struct call *c, struct err *e)
{
	CLEANUP(sandbox_view_clear) struct sandbox_view view = { .result = NULL };

	if (sandbox_set_desired(c->db, c->owner_id, c->params[0], chosen(c), DESIRED_GONE, e) < 0 ||
	    get(c, chosen(c), &view, e) < 0)
		return -1;
	response_json(c->response, 200,
		      render_request("Sandbox termination requested - the database is kept",
				     &view.project));
	return 0;
}

/* ---- all sandboxes of a project -------------------------------------------------------------- */

int sandboxes_list_get(struct call *c, struct err *e)
{
	CLEANUP(project_rows_clear) struct project_rows rows = { .count = 0 };
	CLEANUP(json_decrefp) json_t *items = json_array();

	if (project_get(c->db, c->owner_id, c->params[0], &rows, e) < 0 ||
	    render_sandboxes(c, &rows.items[0], RENDER_LISTED, items, e) < 0)
		return -1;
	response_json(c->response, 200, json_pack("{s:O}", "items", items));
	return 0;
}

int sandboxes_post(struct call *c, struct err *e)
{
	CLEANUP(new_sandbox_clear) struct new_sandbox made = { .id = "" };
	CLEANUP(buf_release) struct buf env = BUF_INIT(SEALED_ENV_MAX);

	if (api_new_sandbox(c, &made, e) < 0 || complete(c, &made, &env, e) < 0)
		return -1;
	made.row.display_name = field_string(c->body, "displayName");
	made.row.size = field_string(c->body, "size");
	made.row.image = field_string(c->body, "image");
	if (sandbox_add(c->db, c->owner_id, c->params[0], &made.row, e) < 0)
		return -1;
	memcpy(c->object_id, made.id, sizeof(c->object_id));
	return answer(c, made.id, e);
}

static int ask_for(struct call *c, enum desired desired, unsigned risk, struct err *e)
{
	if (api_ask_risk(c, chosen(c), risk, e) < 0 ||
	    sandbox_set_desired(c->db, c->owner_id, c->params[0], chosen(c), desired, e) < 0)
		return -1;
	return answer(c, chosen(c), e);
}

int sandboxes_start_post(struct call *c, struct err *e)
{
	return ask_for(c, DESIRED_RUNNING, RISK_STARTS, e);
}

int sandboxes_stop_post(struct call *c, struct err *e)
{
	return ask_for(c, DESIRED_STOPPED, RISK_ENDS_SANDBOX, e);
}

int sandboxes_restart_post(struct call *c, struct err *e)
{
	if (api_ask_risk(c, chosen(c), RISK_ENDS_SANDBOX | RISK_STARTS, e) < 0 ||
	    sandbox_restart(c->db, c->owner_id, c->params[0], chosen(c), e) < 0)
		return -1;
	return answer(c, chosen(c), e);
}
