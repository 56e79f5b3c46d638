/* What all changes of a project's resources share. */
#include <stdlib.h>

#include "base/cleanup.h"
#include "store/internal.h"

enum statement {
	STATEMENT_LOCK,
	STATEMENT_AGGREGATE,
	STATEMENT_REMOVE,
	STATEMENT_ROLL,
};

/* SQL is laid out by hand. */
/* clang-format off */
static const struct db_statement statements[] = {
	[STATEMENT_LOCK] = { "project_lock",
		"SELECT deleted_at IS NOT NULL FROM projects"
		" WHERE id = $1 AND user_id = $2 FOR NO KEY UPDATE" },
	[STATEMENT_AGGREGATE] = { "project_aggregate",
		"WITH aggregated AS ("
		" SELECT p.id, aggregate_status(array_agg(r.status)"
		"  FILTER (WHERE r.id IS NOT NULL)) AS status"
		" FROM jsonb_array_elements_text($1::jsonb) AS given (id)"
		" JOIN projects p ON p.id = given.id::uuid"
		" LEFT JOIN resources r ON r.project_id = p.id GROUP BY p.id"
		"), changed AS ("
		" UPDATE projects p SET status = a.status, updated_at = now()"
		" FROM aggregated AS a WHERE p.id = a.id AND p.status <> a.status"
		" RETURNING p.id, p.status"
		") INSERT INTO events (project_id, status)"
		" SELECT id, status FROM changed" },
	[STATEMENT_REMOVE] = { "project_remove",
		"DELETE FROM projects p"
		" USING jsonb_array_elements_text($1::jsonb) AS given (id)"
		" WHERE p.id = given.id::uuid AND p.deleted_at IS NOT NULL"
		" AND p.trash_until IS NULL AND NOT EXISTS"
		"  (SELECT FROM resources r WHERE r.project_id = p.id)" },
	/* In ERROR, a change is a new attempt, like a start. The database becomes due, too. */
	[STATEMENT_ROLL] = { "sandbox_roll",
		"WITH old AS ("
		" SELECT id, desired, status FROM resources"
		" WHERE project_id = $1 AND kind = 'SANDBOX' AND desired <> 'GONE'"
		"  AND " STORE_IS_CHOSEN("resources", "$2")
		"), woken AS ("
		" UPDATE resources SET due_at = now() WHERE project_id = $1"
		"  AND due_at > now() AND id NOT IN (SELECT id FROM old)"
		"), rolled AS ("
		" UPDATE resources r SET generation = generation + 1, attempts = 0,"
		"  due_at = now(), updated_at = now(), status = shown.status,"
		"  verify = r.verify OR r.status = 'RUNNING',"
		"  status_since = CASE WHEN r.status = shown.status"
		"   THEN r.status_since ELSE now() END,"
		"  cause_kind = NULL, cause_code = NULL, cause_message = NULL,"
		"  cause_since = NULL"
		" FROM (SELECT id, CASE WHEN desired <> 'RUNNING' THEN status"
		"   WHEN status = 'RUNNING' THEN 'UPDATING'"
		"   WHEN status = 'ERROR' THEN 'STARTING' ELSE status END AS status"
		"  FROM old) AS shown"
		" WHERE r.id = shown.id"
		" RETURNING r.id, r.project_id, r.kind, r.status, r.stage"
		") INSERT INTO events (project_id, kind, resource_id, status, stage)"
		" SELECT project_id, kind, id, rolled.status, stage FROM rolled JOIN old USING (id)"
		" WHERE rolled.status <> old.status" },
};
/* clang-format on */

int store_project_not_found(struct err *e)
{
	return err_set(e, ERR_NOT_FOUND, "PROJECT_NOT_FOUND", "Project not found");
}

int store_sandbox_not_found(struct err *e)
{
	return err_set(e, ERR_NOT_FOUND, "SANDBOX_NOT_FOUND", "This project has no such sandbox");
}

int store_database_not_found(struct err *e)
{
	return err_set(e, ERR_NOT_FOUND, "DATABASE_NOT_FOUND", "This project has no database");
}

int store_lock_project(struct db *tx, const char *user_id, const char *project_id,
		       bool *ret_deleted, struct err *e)
{
	CLEANUP(db_result_free) PGresult *r = NULL;

	if (db_query(tx, &statements[STATEMENT_LOCK],
		     DB_ARGS(DB_TEXT(project_id), DB_TEXT(user_id)), &r, e) < 0)
		return -1;
	bool deleted = db_rows(r) > 0 && db_bool(r, 0, 0);
	if (db_rows(r) == 0 || (deleted && ret_deleted == NULL))
		return store_project_not_found(e);
	if (ret_deleted != NULL)
		*ret_deleted = deleted;
	return 0;
}

int store_settle_projects(struct db *tx, const json_t *project_ids, struct err *e)
{
	return db_query(tx, &statements[STATEMENT_AGGREGATE], DB_ARGS(DB_JSON(project_ids)), NULL,
			e);
}

int store_remove_projects(struct db *tx, const json_t *project_ids, struct err *e)
{
	return db_query(tx, &statements[STATEMENT_REMOVE], DB_ARGS(DB_JSON(project_ids)), NULL, e);
}

int store_settle_project(struct db *tx, const char *project_id, struct err *e)
{
	CLEANUP(json_decrefp) json_t *ids = json_pack("[s]", project_id);

	return store_settle_projects(tx, ids, e);
}

int store_roll_sandboxes(struct db *tx, const char *project_id, const char *sandbox_id,
			 struct err *e)
{
	return db_query(tx, &statements[STATEMENT_ROLL],
			DB_ARGS(DB_TEXT(project_id), DB_TEXT(sandbox_id)), NULL, e);
}
