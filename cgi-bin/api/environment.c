#include "api.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "checks.h"
#include "domain/project.h"
#include "render.h"
#include "store/contexts.h"
#include "store/environment.h"
#include "store/project.h"
#include "web/json.h"

enum { VARIABLES_AT_ONCE_MAX = 256, CATEGORY_MAX = 32, SEALED_VALUE_MAX = 65536 };

/* clang-format off */
#define KEY_FIELD(must)                                                                            \
	{ .name = "key", .type = FIELD_STRING, .required = (must), .min = 1,                       \
	  .max = ENVIRONMENT_KEY_MAX, .pattern = ENVIRONMENT_KEY_PATTERN, .check = environment_key_check }
#define VALUE_FIELD(must)                                                                          \
	{ .name = "value", .type = FIELD_STRING, .required = (must),                               \
	  .max = ENVIRONMENT_VALUE_MAX, .check = check_variable_value }
#define CATEGORY_FIELD                                                                             \
	{ .name = "category", .type = FIELD_STRING, .max = CATEGORY_MAX,                           \
	  .pattern = CATEGORY_PATTERN, .check = check_category }
#define SECRET_FIELD                                                                               \
	{ .name = "isSecret", .type = FIELD_BOOL }
/* clang-format on */

static const struct field variable_fields[] = {
	KEY_FIELD(true), VALUE_FIELD(true), CATEGORY_FIELD, SECRET_FIELD, FIELDS_END,
};

const struct field environment_merge_fields[] = {
	{ .name = "variables",
	  .type = FIELD_OBJECTS,
	  .required = true,
	  .max = VARIABLES_AT_ONCE_MAX,
	  .members = variable_fields },
	FIELD_FORCE,
	FIELDS_END,
};

/* Several as "variables", or a single one. */
const struct field environment_create_fields[] = {
	{ .name = "variables",
	  .type = FIELD_OBJECTS,
	  .max = VARIABLES_AT_ONCE_MAX,
	  .members = variable_fields },
	KEY_FIELD(false),
	VALUE_FIELD(false),
	CATEGORY_FIELD,
	SECRET_FIELD,
	FIELD_FORCE,
	FIELDS_END,
};

const struct field environment_change_fields[] = {
	VALUE_FIELD(false), CATEGORY_FIELD, SECRET_FIELD, FIELD_FORCE, FIELDS_END,
};

/* Grouped by category; every category is present. */
int environment_list_get(struct call *c, struct err *e)
{
	CLEANUP(variable_rows_clear) struct variable_rows rows = { .count = 0 };
	CLEANUP(json_decrefp) json_t *groups = json_object();
	json_t *variable;

	if (variable_list(c->db, c->owner_id, c->params[0], &rows, e) < 0)
		return -1;
	for (size_t i = 0; i < environment_category_count; i++)
		json_object_set_new(groups, environment_categories[i], json_array());
	for (size_t i = 0; i < rows.count; i++) {
		if (render_variable(c, &rows.items[i], RENDER_LISTED, &variable, e) < 0)
			return -1;
		json_array_append_new(json_object_get(groups, rows.items[i].category), variable);
	}
	response_json(c->response, 200, STEAL(groups));
	return 0;
}

static int seal_value(const struct call *c, const char *project_id, const char *key,
		      const char *value, struct buf *ret_sealed, struct err *e)
{
	CLEANUP(cleanup_free) char *context = mem_printf(CONTEXT_ENVIRONMENT, project_id, key);

	return api_seal(c, API_OWNER, context, value, strlen(value), ret_sealed, e);
}

/* Variables to be stored, with the sealed values that they point to. */
struct batch {
	size_t count;
	struct variable_new items[VARIABLES_AT_ONCE_MAX];
	struct buf sealed[VARIABLES_AT_ONCE_MAX];
};

static void batch_free(struct batch **batch)
{
	for (size_t i = 0; i < (*batch)->count; i++)
		buf_release(&(*batch)->sealed[i]);
	free(*batch);
}

static int batch_add(struct batch *batch, const struct call *c, const json_t *variable,
		     struct err *e)
{
	const char *key = field_string(variable, "key");
	const char *category = field_string(variable, "category");
	struct buf *sealed = &batch->sealed[batch->count];
	struct variable_new *item = &batch->items[batch->count];

	for (size_t i = 0; i < batch->count; i++) {
		if (strcmp(batch->items[i].key, key) == 0)
			return err_set(e, ERR_INVALID, "DUPLICATE_FIELD",
				       "variables: %s is there twice", key);
	}
	batch->count++;
	*sealed = BUF_INIT(SEALED_VALUE_MAX);
	if (seal_value(c, c->params[0], key, field_string(variable, "value"), sealed, e) < 0)
		return -1;
	*item = (struct variable_new) {
		.key = key,
		.category = category ? category : "general",
		.is_secret = field_bool(variable, "isSecret", false),
		.value_sealed = sealed->data,
		.value_sealed_length = sealed->length,
	};
	return 0;
}

/* Requires exactly one of the two forms, complete. Beside "variables", a category means one to be
 * emptied. */
static int check_form(const json_t *body, const json_t *variables, struct err *e)
{
	static const char *const single[] = { "key", "value", "isSecret", "category" };
	size_t beside = json_array_size(variables) == 0 ? 3 : 4;

	for (size_t i = 0; i < beside && variables != NULL; i++) {
		if (field_given(body, single[i]))
			return err_set(e, ERR_INVALID, "UNKNOWN_FIELD",
				       "%s: not beside \"variables\"", single[i]);
	}
	for (size_t i = 0; i < 2 && variables == NULL; i++) {
		if (!field_given(body, single[i]))
			return err_set(e, ERR_INVALID, "MISSING_FIELD", "%s: is required",
				       single[i]);
	}
	return 0;
}

static int collect(struct batch *batch, const struct call *c, const json_t *variables,
		   struct err *e)
{
	size_t index;
	json_t *variable;

	json_array_foreach(variables, index, variable)
	{
		if (batch_add(batch, c, variable, e) < 0)
			return -1;
	}
	return 0;
}

static void answer_count(struct call *c, const struct batch *batch)
{
	response_json(c->response, 200,
		      json_pack("{s:b, s:i}", "success", 1, "count", (int)batch->count));
}

int api_put_variable(const struct call *c, const char *project_id, const char *key,
		     const char *value, struct err *e)
{
	CLEANUP(buf_release) struct buf sealed = BUF_INIT(SEALED_VALUE_MAX);

	if (seal_value(c, project_id, key, value, &sealed, e) < 0)
		return -1;
	struct variable_new variable = {
		.key = key,
		.category = "general",
		.value_sealed = sealed.data,
		.value_sealed_length = sealed.length,
	};
	return variable_put(c->db, c->owner_id, project_id, &variable, 1, e);
}

/* A single variable is added or replaced; several replace their categories, as in version 0.4. */
int environment_post(struct call *c, struct err *e)
{
	CLEANUP(batch_free) struct batch *batch = mem_calloc(1, sizeof(*batch));
	const json_t *variables = json_object_get(c->body, "variables");
	const char *user_id = c->owner_id;
	const char *project_id = c->params[0];

	if (check_form(c->body, variables, e) < 0 ||
	    (variables == NULL ? batch_add(batch, c, c->body, e)
			       : collect(batch, c, variables, e)) < 0 ||
	    api_ask_risk(c, SANDBOX_ALL, RISK_ENDS_SANDBOX, e) < 0)
		return -1;
	if (variables == NULL
		    ? variable_put(c->db, user_id, project_id, batch->items, 1, e)
		    : variable_replace(c->db, user_id, project_id, batch->items, batch->count,
				       field_string(c->body, "category"), e))
		return -1;
	answer_count(c, batch);
	return 0;
}

/* Adds or replaces variables by key; all others are kept. */
int environment_merge(struct call *c, struct err *e)
{
	CLEANUP(batch_free) struct batch *batch = mem_calloc(1, sizeof(*batch));

	if (collect(batch, c, json_object_get(c->body, "variables"), e) < 0 ||
	    api_ask_risk(c, SANDBOX_ALL, RISK_ENDS_SANDBOX, e) < 0 ||
	    variable_put(c->db, c->owner_id, c->params[0], batch->items, batch->count, e) < 0)
		return -1;
	answer_count(c, batch);
	return 0;
}

static int answer_variable(struct call *c, enum render how, struct err *e)
{
	CLEANUP(variable_rows_clear) struct variable_rows rows = { .count = 0 };
	json_t *variable;

	if (variable_get(c->db, c->owner_id, c->params[0], c->params[1], &rows, e) < 0 ||
	    render_variable(c, &rows.items[0], how, &variable, e) < 0)
		return -1;
	response_json(c->response, 200, variable);
	return 0;
}

/* The only place where owners can read the value of a secret. */
int environment_read(struct call *c, struct err *e)
{
	return answer_variable(c, RENDER_DETAILED, e);
}

/* A secret that is declared to be none is shown to every member. */
static int check_stays_secret(const struct call *c, const struct variable *v, struct err *e)
{
	if (c->role == PROJECT_OWNER || !v->is_secret || field_given(c->body, "value") ||
	    field_bool(c->body, "isSecret", true))
		return 0;
	return err_set(e, ERR_FORBIDDEN, "PROJECT_ROLE",
		       "Only the project's owner may see the value of a secret: give it another "
		       "value as well");
}

int environment_patch(struct call *c, struct err *e)
{
	CLEANUP(variable_rows_clear) struct variable_rows rows = { .count = 0 };
	CLEANUP(buf_release) struct buf sealed = BUF_INIT(SEALED_VALUE_MAX);
	const char *user_id = c->owner_id;
	const char *value = field_string(c->body, "value");

	if (variable_get(c->db, user_id, c->params[0], c->params[1], &rows, e) < 0 ||
	    check_stays_secret(c, &rows.items[0], e) < 0 ||
	    (value != NULL &&
	     seal_value(c, c->params[0], rows.items[0].key, value, &sealed, e) < 0))
		return -1;
	struct variable_change change = {
		.category = field_string(c->body, "category"),
		.set_secret = field_given(c->body, "isSecret"),
		.is_secret = field_bool(c->body, "isSecret", false),
		.value_sealed = sealed.data,
		.value_sealed_length = sealed.length,
	};
	if (value != NULL && api_ask_risk(c, SANDBOX_ALL, RISK_ENDS_SANDBOX, e) < 0)
		return -1;
	if (variable_change(c->db, user_id, c->params[0], c->params[1], &change, e) < 0)
		return -1;
	return answer_variable(c, RENDER_LISTED, e);
}

int environment_delete(struct call *c, struct err *e)
{
	if (api_ask_risk(c, SANDBOX_ALL, RISK_ENDS_SANDBOX, e) < 0 ||
	    variable_delete(c->db, c->owner_id, c->params[0], c->params[1], e) < 0)
		return -1;
	response_json(c->response, 200, json_pack("{s:b}", "success", 1));
	return 0;
}
