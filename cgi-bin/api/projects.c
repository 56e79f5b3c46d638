#include "api.h"

#include <string.h>

#include "base/cleanup.h"
#include "checks.h"
#include "domain/project.h"
#include "domain/repository.h"
#include "render.h"
#include "store/cluster.h"
#include "store/port.h"
#include "store/project.h"
#include "store/size.h"
#include "store/template.h"
#include "store/visit.h"
#include "web/json.h"

enum {
	DESCRIPTION_MAX = 2000,
	KEYWORD_MAX = 100,
	CURSOR_MAX = 96,
	PAGE_MAX = 100,
	TIME_MAX = 40,
};

/* clang-format off */
#define TIME_FIELD(member)                                                                         \
	{ .name = (member), .type = FIELD_STRING, .max = TIME_MAX, .pattern = TIME_PATTERN,        \
	  .check = check_time }
/* clang-format on */

const struct field project_list_query[] = {
	{ .name = "keyword", .type = FIELD_STRING, .max = KEYWORD_MAX },
	TIME_FIELD("createdFrom"),
	TIME_FIELD("createdTo"),
	/* Version 0.4 returned only projects of the current namespace otherwise; here it has no
	 * effect. */
	{ .name = "all", .type = FIELD_BOOL },
	{ .name = "trash", .type = FIELD_BOOL },
	{ .name = "limit", .type = FIELD_INTEGER, .min = 1, .max = PAGE_MAX },
	{ .name = "cursor", .type = FIELD_STRING, .min = 1, .max = CURSOR_MAX },
	FIELDS_END,
};

static const struct field repository_fields[] = {
	{ .name = "url",
	  .type = FIELD_STRING,
	  .required = true,
	  .max = REPOSITORY_URL_MAX,
	  .pattern = REPOSITORY_URL_PATTERN,
	  .check = repository_url_check },
	{ .name = "branch",
	  .type = FIELD_STRING,
	  .max = REPOSITORY_BRANCH_MAX,
	  .pattern = REPOSITORY_BRANCH_PATTERN,
	  .check = repository_branch_check },
	{ .name = "folder",
	  .type = FIELD_STRING,
	  .max = REPOSITORY_FOLDER_MAX,
	  .pattern = REPOSITORY_FOLDER_PATTERN,
	  .check = repository_folder_check },
	FIELDS_END,
};

const struct field project_create_fields[] = {
	{ .name = "name",
	  .type = FIELD_STRING,
	  .required = true,
	  .max = PROJECT_NAME_MAX,
	  .pattern = PROJECT_NAME_PATTERN,
	  .check = project_name_check },
	{ .name = "description", .type = FIELD_STRING, .nullable = true, .max = DESCRIPTION_MAX },
	{ .name = "database", .type = FIELD_BOOL },
	{ .name = "starter", .type = FIELD_BOOL },
	{ .name = "agentAtStart", .type = FIELD_BOOL },
	{ .name = "repository", .type = FIELD_OBJECT, .members = repository_fields },
	{ .name = "lifetimeHours", .type = FIELD_INTEGER, .min = 1, .max = PROJECT_LIFETIME_MAX },
	{ .name = "cluster",
	  .type = FIELD_STRING,
	  .max = CLUSTER_NAME_MAX,
	  .pattern = CLUSTER_NAME_PATTERN,
	  .check = check_cluster_name },
	FIELD_SIZE,
	FIELD_IMAGE,
	{ .name = "template",
	  .type = FIELD_STRING,
	  .max = SIZE_NAME_MAX,
	  .pattern = SIZE_NAME_PATTERN,
	  .check = check_template_name },
	FIELDS_END,
};

const struct field project_lifetime_fields[] = {
	{ .name = "hours",
	  .type = FIELD_INTEGER,
	  .required = true,
	  .nullable = true,
	  .min = 1,
	  .max = PROJECT_LIFETIME_MAX },
	FIELDS_END,
};

const struct field project_delete_fields[] = {
	{ .name = "permanent", .type = FIELD_BOOL },
	FIELDS_END,
};

/* clang-format off */
#define FIELD_NAME                                                                                 \
	{ .name = "name", .type = FIELD_STRING, .max = PROJECT_NAME_MAX,                           \
	  .pattern = PROJECT_NAME_PATTERN, .check = project_name_check }
/* clang-format on */

const struct field project_restore_fields[] = { FIELD_NAME, FIELDS_END };

const struct field project_change_fields[] = {
	FIELD_NAME,
	{ .name = "description", .type = FIELD_STRING, .nullable = true, .max = DESCRIPTION_MAX },
	{ .name = "wake",
	  .type = FIELD_STRING,
	  .max = 16,
	  .pattern = VISIT_WAKE_PATTERN,
	  .check = check_wake },
	FIELDS_END,
};

static int append_variable(const struct call *c, const struct variable *row, json_t *by_project,
			   struct err *e)
{
	json_t *variable;

	if (render_variable(c, row, RENDER_LISTED, &variable, e) < 0)
		return -1;
	json_array_append_new(json_object_get(by_project, row->project_id), variable);
	return 0;
}

/* Adds each item's variables as "environments", with one statement for all items. */
static int add_environments(const struct call *c, json_t *items, struct err *e)
{
	CLEANUP(variable_rows_clear) struct variable_rows rows = { .count = 0 };
	CLEANUP(json_decrefp) json_t *by_project = json_object();
	CLEANUP(json_decrefp) json_t *ids = json_array();
	size_t index;
	json_t *item;

	json_array_foreach(items, index, item)
	{
		json_t *variables = json_array();
		json_object_set_new(item, "environments", variables);
		json_object_set(by_project, field_string(item, "id"), variables);
		json_array_append(ids, json_object_get(item, "id"));
	}
	if (variable_list_many(c->db, c->session->user_id, ids, &rows, e) < 0)
		return -1;
	for (size_t i = 0; i < rows.count; i++) {
		if (append_variable(c, &rows.items[i], by_project, e) < 0)
			return -1;
	}
	return 0;
}

const struct field force_fields[] = { FIELD_FORCE, FIELDS_END };

int api_ask_risk(const struct call *c, const char *sandbox_id, unsigned request, struct err *e)
{
	return project_ask_risk(c->db, c->owner_id, c->params[0], sandbox_id, request,
				field_bool(c->body, "force", false), e);
}

static int render_items(const struct call *c, const struct project_rows *rows, json_t **ret_items,
			struct err *e)
{
	CLEANUP(json_decrefp) json_t *items = json_array();
	json_t *item;

	for (size_t i = 0; i < rows->count; i++) {
		if (render_project_item(c, &rows->items[i], RENDER_LISTED, &item, e) < 0)
			return -1;
		json_array_append_new(items, item);
	}
	if (add_environments(c, items, e) < 0 || api_add_access(c, items, e) < 0)
		return -1;
	*ret_items = STEAL(items);
	return 0;
}

/* All projects as an array, as in version 0.4; a page as an object on request. */
int project_list_get(struct call *c, struct err *e)
{
	CLEANUP(project_rows_clear) struct project_rows rows = { .count = 0 };
	CLEANUP(cleanup_free) char *from = time_from(field_string(c->query, "createdFrom"));
	CLEANUP(cleanup_free) char *to = time_to(field_string(c->query, "createdTo"));
	bool paged = field_given(c->query, "limit") || field_given(c->query, "cursor");
	struct project_filter filter = {
		.keyword = field_string(c->query, "keyword"),
		.created_from = from,
		.created_to = to,
		.trash = field_bool(c->query, "trash", false),
		.limit = paged ? (unsigned)field_integer(c->query, "limit", PAGE_DEFAULT) : 0,
		.cursor = field_string(c->query, "cursor"),
	};
	json_t *items;

	if (project_list(c->db, c->session->user_id, &filter, &rows, e) < 0 ||
	    render_items(c, &rows, &items, e) < 0)
		return -1;
	const char *next = rows.next_cursor[0] != '\0' ? rows.next_cursor : NULL;
	response_json(c->response, 200,
		      paged ? json_pack("{s:o, s:s?}", "items", items, "nextCursor", next) : items);
	return 0;
}

static int get(const struct call *c, const char *project_id, struct project_rows *ret_rows,
	       struct err *e)
{
	return project_get(c->db, c->owner_id, project_id, ret_rows, e);
}

static int add_repository(const struct call *c, struct err *e)
{
	static const struct {
		const char *member, *key;
	} variables[] = {
		{ "url", "FSA_REPOSITORY_URL" },
		{ "branch", "FSA_REPOSITORY_BRANCH" },
		{ "folder", "FSA_REPOSITORY_FOLDER" },
	};
	const json_t *repository = json_object_get(c->body, "repository");

	for (size_t i = 0; i < ARRAY_SIZE(variables); i++) {
		const char *value = field_string(repository, variables[i].member);
		if (value != NULL &&
		    api_put_variable(c, c->object_id, variables[i].key, value, e) < 0)
			return -1;
	}
	return 0;
}

/* What the image does at its start on request. These are variables, so owners can remove them. */
static int add_extras(const struct call *c, const struct sandbox *sandbox, struct err *e)
{
	if (field_bool(c->body, "starter", false) &&
	    api_put_variable(c, c->object_id, "FSA_STARTER", "yes", e) < 0)
		return -1;
	if (add_repository(c, e) < 0)
		return -1;
	if (!field_bool(c->body, "agentAtStart", false))
		return 0;
	if (agent_check_memory(sandbox, e) < 0)
		return -1;
	return api_put_variable(c, c->object_id, "FSA_AGENT_AT_START", "yes", e);
}

/* NULL: none is wanted. */
static int choose_template(const struct call *c, json_t **ret_template, struct err *e)
{
	const char *name = field_string(c->body, "template");

	return name != NULL ? template_get(c->db, name, ret_template, e) : 0;
}

static const char *given_or(const struct call *c, const char *field, const json_t *template)
{
	const char *otherwise = json_string_value(json_object_get(template, field));

	return field_given(c->body, field) ? field_string(c->body, field) : otherwise;
}

static int open_ports(const struct call *c, const json_t *template, struct err *e)
{
	const json_t *number;
	size_t i;

	json_array_foreach(json_object_get(template, "ports"), i, number)
	{
		const struct port_new port = { .port = json_integer_value(number),
					       .access = PORT_ACCESS_TOKEN };
		if (port_open(c->db, c->session->user_id, c->object_id, SANDBOX_FIRST, &port, e) <
		    0)
			return -1;
	}
	return 0;
}

/* Variables and ports. What the request says is added later, and prevails. */
static int apply_template(const struct call *c, json_t *template, struct err *e)
{
	const char *name;
	json_t *value;

	json_object_foreach(json_object_get(template, "variables"), name, value)
	{
		if (api_put_variable(c, c->object_id, name, json_string_value(value), e) < 0)
			return -1;
	}
	return open_ports(c, template, e);
}

int project_post(struct call *c, struct err *e)
{
	CLEANUP(new_sandbox_clear) struct new_sandbox sandbox;
	CLEANUP(json_decrefp) json_t *template = NULL;
	CLEANUP(project_rows_clear) struct project_rows rows = { .count = 0 };
	char database_id[STORE_ID_LENGTH + 1];
	char kube_name[PROJECT_KUBE_NAME_MAX + 1];
	const char *name = field_string(c->body, "name");

	project_kube_name(name, kube_name);
	new_id(database_id);
	if (api_new_sandbox(c, &sandbox, e) < 0 || choose_template(c, &template, e) < 0)
		return -1;
	sandbox.row.size = given_or(c, "size", template);
	sandbox.row.image = given_or(c, "image", template);
	struct project_new project = {
		.user_id = c->session->user_id,
		.name = name,
		.description = field_string(c->body, "description"),
		.kube_name = kube_name,
		.sandbox = &sandbox.row,
		.database_id = field_bool(c->body, "database", true) ? database_id : NULL,
		.lifetime_hours = (unsigned)field_integer(c->body, "lifetimeHours", 0),
		.cluster = field_string(c->body, "cluster"),
	};
	if (project_create(c->db, &project, c->object_id, e) < 0 ||
	    apply_template(c, template, e) < 0 || get(c, c->object_id, &rows, e) < 0 ||
	    add_extras(c, &rows.items[0].sandboxes[0], e) < 0)
		return -1;
	response_json(c->response, 200, render_project(&rows.items[0].project));
	return 0;
}

static int add_environment(const struct call *c, json_t *into, struct err *e)
{
	CLEANUP(variable_rows_clear) struct variable_rows rows = { .count = 0 };
	json_t *variables = json_array();
	json_t *variable;

	json_object_set_new(into, "environments", variables);
	if (variable_list(c->db, c->owner_id, c->params[0], &rows, e) < 0)
		return -1;
	for (size_t i = 0; i < rows.count; i++) {
		if (render_variable(c, &rows.items[i], RENDER_LISTED, &variable, e) < 0)
			return -1;
		json_array_append_new(variables, variable);
	}
	return 0;
}

int project_read(struct call *c, struct err *e)
{
	CLEANUP(project_rows_clear) struct project_rows rows = { .count = 0 };
	CLEANUP(json_decrefp) json_t *items = NULL;
	json_t *project;

	if (get(c, c->params[0], &rows, e) < 0 ||
	    render_project_item(c, &rows.items[0], RENDER_DETAILED, &project, e) < 0)
		return -1;
	items = json_pack("[o]", project);
	if (add_environment(c, project, e) < 0 || api_add_access(c, items, e) < 0)
		return -1;
	response_json(c->response, 200, json_incref(project));
	return 0;
}

int api_answer_project(struct call *c, struct err *e)
{
	CLEANUP(project_rows_clear) struct project_rows rows = { .count = 0 };

	if (get(c, c->params[0], &rows, e) < 0)
		return -1;
	response_json(c->response, 200, render_project(&rows.items[0].project));
	return 0;
}

int project_patch(struct call *c, struct err *e)
{
	struct project_change change = {
		.name = field_string(c->body, "name"),
		.description = field_string(c->body, "description"),
		.wake = field_string(c->body, "wake"),
	};

	if (change.description == NULL && field_given(c->body, "description"))
		change.description = ""; /* null removes it */
	if (project_change(c->db, c->owner_id, c->params[0], &change, e) < 0)
		return -1;
	return api_answer_project(c, e);
}

int project_lifetime_put(struct call *c, struct err *e)
{
	unsigned hours = (unsigned)field_integer(c->body, "hours", 0); /* null: it has no end */

	if (project_set_lifetime(c->db, c->owner_id, c->params[0], hours, e) < 0)
		return -1;
	return api_answer_project(c, e);
}

static int answer_request(struct call *c, const char *message, struct err *e)
{
	CLEANUP(project_rows_clear) struct project_rows rows = { .count = 0 };

	if (get(c, c->params[0], &rows, e) < 0)
		return -1;
	response_json(c->response, 200, render_request(message, &rows.items[0].project));
	return 0;
}

int project_start_post(struct call *c, struct err *e)
{
	if (api_ask_risk(c, SANDBOX_ALL, RISK_STARTS, e) < 0 ||
	    project_set_desired(c->db, c->owner_id, c->params[0], DESIRED_RUNNING, e) < 0)
		return -1;
	return answer_request(c,
			      "Project start requested - reconcile job will handle resource "
			      "operations",
			      e);
}

int project_stop_post(struct call *c, struct err *e)
{
	if (api_ask_risk(c, SANDBOX_ALL, RISK_ENDS_SANDBOX | RISK_ENDS_DATABASE, e) < 0 ||
	    project_set_desired(c->db, c->owner_id, c->params[0], DESIRED_STOPPED, e) < 0)
		return -1;
	return answer_request(c,
			      "Project stop requested - reconcile job will handle resource "
			      "operations",
			      e);
}

int project_restart_post(struct call *c, struct err *e)
{
	if (api_ask_risk(c, SANDBOX_ALL, RISK_ENDS_SANDBOX | RISK_STARTS, e) < 0 ||
	    project_restart(c->db, c->owner_id, c->params[0], e) < 0)
		return -1;
	return answer_request(c,
			      "Project restart requested - reconcile job will handle resource "
			      "operations",
			      e);
}

int project_restore_post(struct call *c, struct err *e)
{
	if (project_restore(c->db, c->owner_id, c->params[0], field_string(c->body, "name"), e) < 0)
		return -1;
	return api_answer_project(c, e);
}

int project_remove(struct call *c, struct err *e)
{
	static const char message[] = "Project deletion requested - reconcile job will handle "
				      "resource cleanup and project removal";

	if (project_delete(c->db, c->owner_id, c->params[0],
			   field_bool(c->body, "permanent", false), e) < 0)
		return -1;
	if (answer_request(c, message, e) == 0)
		return 0;
	if (e->kind != ERR_NOT_FOUND)
		return -1;
	/* It had no objects in the cluster, so it is gone already. */
	response_json(c->response, 200,
		      json_pack("{s:s, s:{s:s, s:s}}", "message", "Project deleted", "project",
				"id", c->params[0], "status", status_name(STATUS_TERMINATED)));
	return 0;
}
