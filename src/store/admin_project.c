/* The administrator's view of projects: a part of admin.h. */
#include <stdio.h>

#include "base/cleanup.h"
#include "store/admin.h"
#include "store/internal.h"
#include "store/warnings.h"

enum statement {
	STATEMENT_FIND,
	STATEMENT_PROJECTS,
	STATEMENT_RESOURCES,
	STATEMENT_VARIABLES,
	STATEMENT_EVENTS,
	STATEMENT_RETRY,
	STATEMENT_FORGET,
	STATEMENT_PLACES,
	STATEMENT_QUEUE,
};

#define MS(interval) "(extract(epoch FROM " interval ") * 1000)::bigint"

/* SQL is laid out by hand. The names of columns are members of what is shown. They differ from
 * those in store/column.h: an administrator sees ages instead of times, who holds a lease, and what
 * the pass has stored. A column that is missing here is only not shown. */
/* clang-format off */
static const struct db_statement statements[] = {
	[STATEMENT_FIND] = { "admin_find_project",
		"SELECT id, user_id FROM projects p"
		" WHERE id::text = lower($1) OR lower(name) = lower($1)"
		"  OR EXISTS (SELECT FROM resources r WHERE r.project_id = p.id AND r.name = $1)"
		" ORDER BY created_at LIMIT 10" },
	[STATEMENT_PROJECTS] = { "admin_projects",
		"SELECT p.id, p.name, u.name AS owner, p.user_id AS \"userId\", p.status,"
		" (SELECT string_agg(cause_code, ' ' ORDER BY kind) FROM resources"
		"  WHERE project_id = p.id) AS causes,"
		" p.description, p.github_repo AS \"githubRepo\","
		" iso8601(p.created_at) AS \"createdAt\","
		" iso8601(p.updated_at) AS \"updatedAt\","
		" iso8601(p.expires_at) AS \"expiresAt\","
		" iso8601(p.deletes_at) AS \"deletesAt\","
		" iso8601(p.deleted_at) AS \"deletedAt\","
		" iso8601(p.trash_until) AS \"trashUntil\""
		" FROM projects p JOIN users u ON u.id = p.user_id"
		" WHERE ($1::uuid IS NULL OR p.user_id = $1) AND ($2::uuid IS NULL OR p.id = $2)"
		"  AND ($3::boolean OR p.deleted_at IS NULL)"
		" ORDER BY p.created_at DESC, p.id DESC" },
	[STATEMENT_RESOURCES] = { "admin_resources",
		"SELECT r.id, r.kind, r.name, r.namespace, r.server, r.desired, r.generation,"
		" r.status, iso8601(r.status_since) AS \"statusSince\","
		" greatest(0, " MS("now() - r.status_since") ") AS \"statusAgeMs\", r.stage,"
		" r.cause_kind AS \"causeKind\", r.cause_code AS \"causeCode\","
		" r.cause_message AS \"causeMessage\","
		" greatest(0, " MS("now() - r.cause_since") ") AS \"causeAgeMs\", r.attempts,"
		" nullif(r.warnings, '[]')::text AS warnings, r.observed ->> 'seen' AS seen,"
		" iso8601(r.due_at) AS \"dueAt\", " MS("r.due_at - now()") " AS \"dueInMs\","
		" CASE WHEN r.leased_until > now() THEN r.leased_by END AS \"leasedBy\","
		" s.display_name AS \"displayName\", s.app_host AS \"appHost\", s.ttyd_host AS \"ttydHost\", s.image, d.host"
		" FROM resources r LEFT JOIN sandboxes s ON s.resource_id = r.id"
		" LEFT JOIN databases d ON d.resource_id = r.id"
		" WHERE r.project_id = $1 ORDER BY " STORE_RESOURCE_ORDER("r") },
	[STATEMENT_VARIABLES] = { "admin_variables",
		"SELECT key, category, is_secret AS \"isSecret\","
		" iso8601(updated_at) AS \"updatedAt\""
		" FROM environment WHERE project_id = $1 ORDER BY key" },
	[STATEMENT_EVENTS] = { "admin_events",
		"SELECT id, iso8601(at) AS at, kind, resource_id AS \"resourceId\", status, stage, code, message"
		" FROM events WHERE project_id = $1 ORDER BY id DESC LIMIT $2::bigint" },
	/* Has the effect of requesting the present desired state; rows that are leased now become
	 * due at the end of the lease. */
	[STATEMENT_RETRY] = { "admin_retry",
		"WITH old AS ("
		" SELECT id, status, CASE WHEN status = 'ERROR'"
		"   THEN told_status(desired, status) ELSE status END AS shown"
		" FROM resources WHERE project_id = $1"
		"), retried AS ("
		" UPDATE resources r SET due_at = now(), attempts = 0, status = old.shown,"
		"  status_since = CASE WHEN old.shown = r.status"
		"   THEN r.status_since ELSE now() END,"
		"  cause_kind = CASE WHEN old.shown = r.status THEN r.cause_kind END,"
		"  cause_code = CASE WHEN old.shown = r.status THEN r.cause_code END,"
		"  cause_message = CASE WHEN old.shown = r.status THEN r.cause_message END,"
		"  cause_since = CASE WHEN old.shown = r.status THEN r.cause_since END,"
		"  updated_at = now()"
		" FROM old WHERE r.id = old.id"
		" RETURNING r.id, r.project_id, r.kind, r.status, r.stage"
		") INSERT INTO events (project_id, kind, resource_id, status, stage)"
		" SELECT t.project_id, t.kind, t.id, t.status, t.stage"
		" FROM retried t JOIN old USING (id) WHERE t.status <> old.status" },
	/* A pass that holds one of them now records nothing, as it finds no row. */
	[STATEMENT_FORGET] = { "admin_forget", "DELETE FROM resources WHERE project_id = $1" },
	[STATEMENT_PLACES] = { "admin_places",
		"SELECT r.id, r.user_id AS \"userId\", u.name AS owner, u.disabled_at IS NOT NULL AS \"ownerDisabled\","
		" r.kind, r.name, r.namespace, r.server, r.status,"
		" coalesce(d.form, 'UNDECIDED') AS form"
		" FROM resources r JOIN users u ON u.id = r.user_id"
		" LEFT JOIN databases d ON d.resource_id = r.id"
		" ORDER BY r.server, r.namespace, r.name" },
	[STATEMENT_QUEUE] = { "admin_queue",
		"SELECT count(*) FILTER (WHERE waits) AS \"dueCount\","
		" coalesce(max(" MS("now() - greatest(due_at, leased_until)") ")"
		"  FILTER (WHERE waits), 0) AS \"oldestDueMs\","
		" count(*) FILTER (WHERE status = 'ERROR') AS \"errorCount\""
		" FROM (SELECT due_at, leased_until, status, due_at <= now()"
		"  AND (leased_until IS NULL OR leased_until < now()) AS waits"
		"  FROM resources) AS r" },
};
/* clang-format on */

int admin_find_project(struct db *db, const char *reference,
		       char ret_project_id[STORE_ID_LENGTH + 1],
		       char ret_user_id[STORE_ID_LENGTH + 1], struct err *e)
{
	CLEANUP(db_result_free) PGresult *r = NULL;

	if (db_query(db, &statements[STATEMENT_FIND], DB_ARGS(DB_TEXT(reference)), &r, e) < 0)
		return -1;
	if (db_rows(r) == 0)
		return err_set(e, ERR_NOT_FOUND, "PROJECT_NOT_FOUND",
			       "no project, or object of one, has the id or name \"%s\": see "
			       "fsactl project list --all",
			       reference);
	if (db_rows(r) > 1)
		return store_ambiguous("projects", reference, r, e);
	(void)snprintf(ret_project_id, STORE_ID_LENGTH + 1, "%s", db_text(r, 0, 0));
	(void)snprintf(ret_user_id, STORE_ID_LENGTH + 1, "%s", db_text(r, 0, 1));
	return 0;
}

int admin_projects(struct db *db, const struct admin_project_filter *filter, json_t **ret_rows,
		   struct err *e)
{
	return store_rows(db, &statements[STATEMENT_PROJECTS],
			  DB_ARGS(DB_TEXT(filter->user_id), DB_TEXT(filter->project_id),
				  DB_BOOL(filter->all)),
			  ret_rows, e);
}

int admin_resources(struct db *db, const char *project_id, json_t **ret_rows, struct err *e)
{
	size_t i;
	json_t *row;

	if (store_rows(db, &statements[STATEMENT_RESOURCES], DB_ARGS(DB_TEXT(project_id)), ret_rows,
		       e) < 0)
		return -1;
	json_array_foreach(*ret_rows, i, row)
	{
		const char *warnings = json_string_value(json_object_get(row, "warnings"));
		(void)json_object_set_new(row, "warnings", warnings_json(warnings));
	}
	return 0;
}

int admin_variables(struct db *db, const char *project_id, json_t **ret_rows, struct err *e)
{
	return store_rows(db, &statements[STATEMENT_VARIABLES], DB_ARGS(DB_TEXT(project_id)),
			  ret_rows, e);
}

int admin_events(struct db *db, const char *project_id, unsigned limit, json_t **ret_rows,
		 struct err *e)
{
	return store_rows(db, &statements[STATEMENT_EVENTS],
			  DB_ARGS(DB_TEXT(project_id), DB_INT(limit)), ret_rows, e);
}

int admin_retry(struct db *db, const char *project_id, const char *user_id, struct err *e)
{
	CLEANUP(db_rollback_guard) struct db *tx = NULL;
	bool deleted; /* whether deletions can be retried, too */

	if (db_begin(db, &tx, e) < 0 ||
	    store_lock_project(tx, user_id, project_id, &deleted, e) < 0 ||
	    db_query(tx, &statements[STATEMENT_RETRY], DB_ARGS(DB_TEXT(project_id)), NULL, e) < 0 ||
	    store_settle_project(tx, project_id, e) < 0)
		return -1;
	return db_commit(&tx, e);
}

int admin_forget(struct db *db, const char *project_id, const char *user_id, struct err *e)
{
	CLEANUP(db_rollback_guard) struct db *tx = NULL;
	CLEANUP(json_decrefp) json_t *ids = json_pack("[s]", project_id);
	bool deleted;

	if (db_begin(db, &tx, e) < 0 ||
	    store_lock_project(tx, user_id, project_id, &deleted, e) < 0)
		return -1;
	if (!deleted)
		return err_set(e, ERR_CONFLICT, "NOT_DELETED",
			       "only a project that is to be deleted can be forgotten: see fsactl "
			       "project delete");
	if (db_query(tx, &statements[STATEMENT_FORGET], DB_ARGS(DB_TEXT(project_id)), NULL, e) <
		    0 ||
	    store_remove_projects(tx, ids, e) < 0)
		return -1;
	return db_commit(&tx, e);
}

int admin_places(struct db *db, json_t **ret_rows, struct err *e)
{
	return store_rows(db, &statements[STATEMENT_PLACES], NULL, ret_rows, e);
}

int admin_queue(struct db *db, json_t **ret_queue, struct err *e)
{
	CLEANUP(json_decrefp) json_t *rows = NULL;

	if (store_rows(db, &statements[STATEMENT_QUEUE], NULL, &rows, e) < 0)
		return -1;
	*ret_queue = json_incref(json_array_get(rows, 0));
	return 0;
}
