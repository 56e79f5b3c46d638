/* fsactl project …: lists projects, and acts on them for their owner. explain is in explain.c. */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "ctl/administrator.h"
#include "ctl/output.h"
#include "store/admin.h"
#include "store/project.h"

enum { EVENTS_DEFAULT = 20, EVENTS_MAX = 10000 };

static const struct output_column list_columns[] = {
	{ "id", "ID" },
	{ "owner", "OWNER" },
	{ "name", "NAME" },
	{ "status", "STATUS" },
	{ "causes", "CAUSE" },
	{ "createdAt", "CREATED" },
	{ "deletedAt", "DELETED" },
};

static const struct output_column project_fields[] = {
	{ "id", "id" },
	{ "name", "name" },
	{ "description", "description" },
	{ "owner", "owner" },
	{ "userId", "owner's id" },
	{ "status", "status" },
	{ "githubRepo", "repository" },
	{ "createdAt", "created" },
	{ "expiresAt", "ends" },
	{ "deletesAt", "is deleted" },
	{ "deletedAt", "deleted" },
	{ "trashUntil", "in the trash until" },
};

static const struct output_column resource_columns[] = {
	{ "kind", "KIND" },         { "name", "NAME" },       { "namespace", "NAMESPACE" },
	{ "server", "SERVER" },     { "desired", "WANTED" },  { "status", "STATUS" },
	{ "statusSince", "SINCE" }, { "causeCode", "CAUSE" }, { "dueAt", "NEXT LOOK" },
};

static const struct output_column variable_columns[] = {
	{ "key", "NAME" },
	{ "category", "CATEGORY" },
	{ "isSecret", "SECRET" },
	{ "updatedAt", "CHANGED" },
};

static const struct output_column event_columns[] = {
	{ "at", "AT" },       { "kind", "OF" },    { "status", "STATUS" },
	{ "stage", "STAGE" }, { "code", "CAUSE" }, { "message", "MESSAGE" },
};

int command_project_list(const struct call *call, struct err *e)
{
	CLEANUP(db_freep) struct db *db = call_database(call);
	CLEANUP(json_decrefp) json_t *rows = NULL;
	struct admin_project_filter filter = { .all = call->options[OPTION_ALL] != NULL };
	char user_id[STORE_ID_LENGTH + 1];

	if (call->options[OPTION_USER] != NULL) {
		if (admin_find_user(db, call->options[OPTION_USER], user_id, e) < 0)
			return -1;
		filter.user_id = user_id;
	}
	if (admin_projects(db, &filter, &rows, e) < 0)
		return -1;
	output_list(call, list_columns, ARRAY_SIZE(list_columns), rows);
	return 0;
}

/* Reads everything about one project, as one object. */
static int read_project(struct db *db, const char *id, unsigned events_max, json_t **ret_project,
			struct err *e)
{
	const struct admin_project_filter one = { .project_id = id, .all = true };
	CLEANUP(json_decrefp) json_t *projects = NULL;
	CLEANUP(json_decrefp) json_t *resources = NULL;
	CLEANUP(json_decrefp) json_t *variables = NULL;
	CLEANUP(json_decrefp) json_t *events = NULL;

	if (admin_projects(db, &one, &projects, e) < 0 ||
	    admin_resources(db, id, &resources, e) < 0 ||
	    admin_variables(db, id, &variables, e) < 0 ||
	    admin_events(db, id, events_max, &events, e) < 0)
		return -1;
	json_t *project = json_incref(json_array_get(projects, 0));
	(void)json_object_set(project, "resources", resources);
	(void)json_object_set(project, "variables", variables);
	(void)json_object_set(project, "events", events);
	*ret_project = project;
	return 0;
}

static void print_project(const json_t *project)
{
	output_fields(project_fields, ARRAY_SIZE(project_fields), project);
	output_table("resources", resource_columns, ARRAY_SIZE(resource_columns),
		     json_object_get(project, "resources"));
	output_table("variables", variable_columns, ARRAY_SIZE(variable_columns),
		     json_object_get(project, "variables"));
	output_table("events", event_columns, ARRAY_SIZE(event_columns),
		     json_object_get(project, "events"));
}

int command_project_show(const struct call *call, struct err *e)
{
	CLEANUP(db_freep) struct db *db = call_database(call);
	CLEANUP(json_decrefp) json_t *project = NULL;
	char id[STORE_ID_LENGTH + 1], user_id[STORE_ID_LENGTH + 1];
	unsigned events_max;

	if (call_number(call, OPTION_LIMIT, EVENTS_MAX, EVENTS_DEFAULT, &events_max, e) < 0 ||
	    admin_find_project(db, call->arguments[0], id, user_id, e) < 0 ||
	    read_project(db, id, events_max, &project, e) < 0)
		return -1;
	if (!output_json(call, project))
		print_project(project);
	return 0;
}

/* ---- acting ---------------------------------------------------------------------------------- */

static int retry(struct db *tx, const char *user_id, const char *project_id, struct err *e)
{
	return admin_retry(tx, project_id, user_id, e);
}

struct change {
	enum desired desired;
	unsigned request; /* RISK_… of store/project.h */
	bool force;
};

static int set_desired(struct db *tx, const char *user_id, const char *project_id,
		       const struct change *change, struct err *e)
{
	if (project_ask_risk(tx, user_id, project_id, SANDBOX_ALL, change->request, change->force,
			     e) < 0)
		return e->kind == ERR_DATA_AT_RISK ? err_wrap(e, "refused without --yes") : -1;
	return project_set_desired(tx, user_id, project_id, change->desired, e);
}

static int start(struct db *tx, const char *user_id, const char *project_id, struct err *e)
{
	const struct change change = { DESIRED_RUNNING, RISK_STARTS, false };

	return set_desired(tx, user_id, project_id, &change, e);
}

static int force_start(struct db *tx, const char *user_id, const char *project_id, struct err *e)
{
	const struct change change = { DESIRED_RUNNING, RISK_STARTS, true };

	return set_desired(tx, user_id, project_id, &change, e);
}

static int stop(struct db *tx, const char *user_id, const char *project_id, struct err *e)
{
	const struct change change = { DESIRED_STOPPED, RISK_ENDS_SANDBOX | RISK_ENDS_DATABASE,
				       false };

	return set_desired(tx, user_id, project_id, &change, e);
}

static int force_stop(struct db *tx, const char *user_id, const char *project_id, struct err *e)
{
	const struct change change = { DESIRED_STOPPED, RISK_ENDS_SANDBOX | RISK_ENDS_DATABASE,
				       true };

	return set_desired(tx, user_id, project_id, &change, e);
}

static int delete (struct db *tx, const char *user_id, const char *project_id, struct err *e)
{
	return project_set_desired(tx, user_id, project_id, DESIRED_GONE, e);
}

static int forget(struct db *tx, const char *user_id, const char *project_id, struct err *e)
{
	return admin_forget(tx, project_id, user_id, e);
}

struct act {
	const char *action; /* the action in the audit */
	const char *done;   /* in the output for people */
	int (*run)(struct db *tx, const char *user_id, const char *project_id, struct err *e);
};

/* Acts on a project, and prints its new status. */
static int act(const struct call *call, const struct act *what, struct err *e)
{
	CLEANUP(db_freep) struct db *db = call_database(call);
	CLEANUP(db_rollback_guard) struct db *tx = NULL;
	CLEANUP(json_decrefp) json_t *projects = NULL;
	struct admin_project_filter one = { .all = true };
	char id[STORE_ID_LENGTH + 1], user_id[STORE_ID_LENGTH + 1];

	one.project_id = id;
	if (admin_find_project(db, call->arguments[0], id, user_id, e) < 0 ||
	    db_begin(db, &tx, e) < 0 || what->run(tx, user_id, id, e) < 0 ||
	    administrator_note_to(tx, user_id, what->action, "project", id, e) < 0 ||
	    admin_projects(tx, &one, &projects, e) < 0 || db_commit(&tx, e) < 0)
		return -1;
	json_t *project = json_array_get(projects, 0);
	const char *status = json_string_value(json_object_get(project, "status"));
	/* A project without objects in the cluster is deleted at once. */
	if (!output_json(call, project ? project : json_null()))
		(void)printf("%s %s: %s\n", what->done, id, status ? status : "TERMINATED");
	return 0;
}

int command_project_retry(const struct call *call, struct err *e)
{
	static const struct act what = { "admin.project.retry", "due at once", retry };

	return act(call, &what, e);
}

int command_project_start(const struct call *call, struct err *e)
{
	static const struct act what = { "admin.project.start", "to be started", start };
	static const struct act forced = { "admin.project.start", "to be started", force_start };

	return act(call, call->options[OPTION_YES] != NULL ? &forced : &what, e);
}

int command_project_stop(const struct call *call, struct err *e)
{
	static const struct act what = { "admin.project.stop", "to be stopped", stop };
	static const struct act forced = { "admin.project.stop", "to be stopped", force_stop };

	return act(call, call->options[OPTION_YES] != NULL ? &forced : &what, e);
}

/* Prints what --yes would do, and to what. */
static int preview(const struct call *call, const char *heading, struct err *e)
{
	CLEANUP(db_freep) struct db *db = call_database(call);
	CLEANUP(json_decrefp) json_t *project = NULL;
	char id[STORE_ID_LENGTH + 1], user_id[STORE_ID_LENGTH + 1];

	if (admin_find_project(db, call->arguments[0], id, user_id, e) < 0 ||
	    read_project(db, id, 1, &project, e) < 0)
		return -1;
	if (output_json(call, project))
		return 0;
	output_fields(project_fields, ARRAY_SIZE(project_fields), project);
	output_table(heading, resource_columns, ARRAY_SIZE(resource_columns),
		     json_object_get(project, "resources"));
	return 0;
}

int command_project_delete(const struct call *call, struct err *e)
{
	static const struct act what = { "admin.project.delete", "to be deleted", delete };

	return call->options[OPTION_YES] != NULL
		       ? act(call, &what, e)
		       : preview(call, "would be deleted with its volumes, by --yes", e);
}

int command_project_forget(const struct call *call, struct err *e)
{
	static const struct act what = { "admin.project.forget", "forgotten", forget };

	return call->options[OPTION_YES] != NULL
		       ? act(call, &what, e)
		       : preview(call, "would be left behind in the cluster, by --yes", e);
}
