#include "store/deletion.h"

#include "base/cleanup.h"
#include "store/access.h"
#include "store/internal.h"

enum statement {
	STATEMENT_COST,
	STATEMENT_PLACES,
	STATEMENT_ASK,
	STATEMENT_MEMBERSHIPS,
	STATEMENT_PROJECTS,
	STATEMENT_FORGET,
	STATEMENT_FINISH,
};

/* SQL is laid out by hand. The names of columns are members of what is shown. */
/* clang-format off */
static const struct db_statement statements[] = {
	[STATEMENT_COST] = { "deletion_cost",
		"SELECT (SELECT count(*) FROM projects WHERE user_id = $1) AS projects,"
		" (SELECT count(*) FROM resources WHERE user_id = $1"
		"  AND kind = 'SANDBOX') AS sandboxes,"
		" (SELECT count(*) FROM resources WHERE user_id = $1"
		"  AND kind = 'DATABASE') AS databases,"
		" (SELECT count(*) FROM environment v JOIN projects p ON p.id = v.project_id"
		"  WHERE p.user_id = $1) AS variables" },
	[STATEMENT_PLACES] = { "deletion_places",
		"SELECT r.kind, r.name, r.namespace, r.server, r.status,"
		" coalesce(s.home_size, d.storage_size) AS volume,"
		" r.cause_code AS \"causeCode\""
		" FROM resources r LEFT JOIN sandboxes s ON s.resource_id = r.id"
		" LEFT JOIN databases d ON d.resource_id = r.id"
		" WHERE r.user_id = $1 ORDER BY r.server, r.namespace, r.name" },
	/* FOR UPDATE waits for concurrent requests that insert rows of this user. */
	[STATEMENT_ASK] = { "deletion_ask",
		"WITH locked AS (SELECT id FROM users WHERE id = $1 FOR UPDATE)"
		" UPDATE users u SET deleted_at = coalesce(deleted_at, now()),"
		"  disabled_at = coalesce(disabled_at, now()) FROM locked WHERE u.id = locked.id" },
	[STATEMENT_MEMBERSHIPS] = { "deletion_memberships",
		"DELETE FROM project_members WHERE user_id = $1" },
	[STATEMENT_PROJECTS] = { "deletion_projects", "SELECT delete_projects($1)" },
	/* A pass that holds one of them now records nothing, as it finds no row. */
	[STATEMENT_FORGET] = { "deletion_forget",
		"WITH asked AS (SELECT id FROM users WHERE id = $1 AND deleted_at IS NOT NULL),"
		" dropped AS (DELETE FROM resources r USING asked WHERE r.user_id = asked.id)"
		" SELECT FROM asked" },
	[STATEMENT_FINISH] = { "deletion_finish", "SELECT finish_deletions()" },
};
/* clang-format on */

int deletion_cost(struct db *db, const char *user_id, json_t **ret_cost, struct err *e)
{
	CLEANUP(json_decrefp) json_t *rows = NULL;
	CLEANUP(json_decrefp) json_t *places = NULL;
	const struct db_args *args = DB_ARGS(DB_TEXT(user_id));

	if (store_rows(db, &statements[STATEMENT_COST], args, &rows, e) < 0 ||
	    store_rows(db, &statements[STATEMENT_PLACES], args, &places, e) < 0)
		return -1;
	json_t *cost = json_incref(json_array_get(rows, 0));
	(void)json_object_set(cost, "places", places);
	*ret_cost = cost;
	return 0;
}

static int run(struct db *db, enum statement statement, const char *user_id, struct err *e)
{
	return db_query(db, &statements[statement], DB_ARGS(DB_TEXT(user_id)), NULL, e);
}

int deletion_ask(struct db *tx, const char *user_id, struct err *e)
{
	struct access_ended ended;

	if (run(tx, STATEMENT_ASK, user_id, e) < 0 ||
	    access_end_all(tx, user_id, NULL, &ended, e) < 0 ||
	    run(tx, STATEMENT_MEMBERSHIPS, user_id, e) < 0)
		return -1;
	return run(tx, STATEMENT_PROJECTS, user_id, e);
}

int deletion_forget(struct db *tx, const char *user_id, struct err *e)
{
	CLEANUP(db_result_free) PGresult *r = NULL;

	if (db_query(tx, &statements[STATEMENT_FORGET], DB_ARGS(DB_TEXT(user_id)), &r, e) < 0)
		return -1;
	if (db_rows(r) == 0)
		return err_set(e, ERR_CONFLICT, "NOT_DELETED",
			       "only a user who is being deleted can be forgotten: see fsactl "
			       "user delete");
	return run(tx, STATEMENT_PROJECTS, user_id, e);
}

int deletion_finish(struct db *db, struct err *e)
{
	return db_query(db, &statements[STATEMENT_FINISH], NULL, NULL, e);
}
