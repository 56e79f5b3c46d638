#include "store/environment.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "store/internal.h"

#define VARIABLE_COLUMNS(X)                                                                        \
	X(VARIABLE_ID, "e.id")                                                                     \
	X(VARIABLE_PROJECT_ID, "p.id")                                                             \
	X(VARIABLE_KEY, "e.key")                                                                   \
	X(VARIABLE_CATEGORY, "e.category")                                                         \
	X(VARIABLE_CREATED_AT, "iso8601(e.created_at)")                                            \
	X(VARIABLE_UPDATED_AT, "iso8601(e.updated_at)")                                            \
	X(VARIABLE_IS_SECRET, "e.is_secret")                                                       \
	X(VARIABLE_VALUE_SEALED, "e.value_sealed")

enum variable_column { COLUMN_NONE, VARIABLE_COLUMNS(STORE_COLUMN_ENUM) };

enum statement {
	STATEMENT_LIST,
	STATEMENT_LIST_MANY,
	STATEMENT_GET,
	STATEMENT_CLEAR,
	STATEMENT_PUT,
	STATEMENT_CHANGE,
	STATEMENT_FITS,
	STATEMENT_DELETE,
};

/* SQL is laid out by hand. */
/* clang-format off */
static const struct db_statement statements[] = {
	/* A project without variables is a row of NULLs. */
	[STATEMENT_LIST] = { "variable_list",
		STORE_SELECT(VARIABLE_COLUMNS)
		"FROM projects p LEFT JOIN environment e ON e.project_id = p.id"
		" WHERE p.id = $1 AND p.user_id = $2 ORDER BY e.key" },
	[STATEMENT_LIST_MANY] = { "variable_list_many",
		STORE_SELECT(VARIABLE_COLUMNS)
		"FROM project_access a JOIN projects p ON p.id = a.project_id"
		" JOIN environment e ON e.project_id = p.id WHERE a.user_id = $2 AND a.project_id IN"
		"  (SELECT value::uuid FROM jsonb_array_elements_text($1::jsonb))"
		" ORDER BY a.project_id, e.key" },
	[STATEMENT_GET] = { "variable_get",
		STORE_SELECT(VARIABLE_COLUMNS)
		"FROM projects p LEFT JOIN environment e"
		"  ON e.project_id = p.id AND e.id = $3"
		" WHERE p.id = $1 AND p.user_id = $2" },
	/* Removes categories that are replaced as a whole. */
	[STATEMENT_CLEAR] = { "variable_clear",
		"DELETE FROM environment WHERE project_id = $1"
		" AND (category = $3 OR category IN (SELECT coalesce(category, 'general')"
		"  FROM jsonb_to_recordset($2::jsonb) AS (category text)))"
		" AND key NOT IN (SELECT key FROM jsonb_to_recordset($2::jsonb) AS (key text))"
		" RETURNING id" },
	/* If a key is given twice, the last counts. Nothing is inserted if that makes too many; the
	 * project is locked, so the count is exact. */
	[STATEMENT_PUT] = { "variable_put",
		"WITH given AS ("
		" SELECT DISTINCT ON (key) key, category, is_secret, value_sealed"
		" FROM ROWS FROM (jsonb_to_recordset($2::jsonb) AS (key text,"
		"  category text, is_secret boolean, value_sealed bytea))"
		"  WITH ORDINALITY"
		" ORDER BY key, ordinality DESC"
		"), total AS ("
		" SELECT (SELECT count(*) FROM given) + (SELECT count(*)"
		"  FROM environment WHERE project_id = $1"
		"   AND key NOT IN (SELECT key FROM given)) AS count"
		"), done AS ("
		" INSERT INTO environment (project_id, key, category, is_secret,"
		"  value_sealed)"
		" SELECT $1, key, coalesce(category, 'general'), is_secret, value_sealed"
		" FROM given, total WHERE total.count <= $3"
		" ON CONFLICT (project_id, key) DO UPDATE"
		" SET category = excluded.category, is_secret = excluded.is_secret,"
		"  value_sealed = excluded.value_sealed, updated_at = now()"
		") SELECT count <= $3 FROM total" },
	[STATEMENT_CHANGE] = { "variable_change",
		"UPDATE environment SET category = coalesce($3, category),"
		"  is_secret = coalesce($4, is_secret),"
		"  value_sealed = coalesce($5, value_sealed), updated_at = now()"
		" WHERE project_id = $1 AND id = $2 RETURNING id" },
	[STATEMENT_FITS] = { "variable_fits",
		"SELECT coalesce(sum(octet_length(value_sealed)), 0) <= $2::bigint"
		" FROM environment WHERE project_id = $1" },
	[STATEMENT_DELETE] = { "variable_delete",
		"DELETE FROM environment"
		" WHERE project_id = $1 AND id = $2"
		" RETURNING id" },
};
/* clang-format on */

static int variable_not_found(struct err *e)
{
	return err_set(e, ERR_NOT_FOUND, "VARIABLE_NOT_FOUND", "Environment variable not found");
}

/* ---- reading --------------------------------------------------------------------------------- */

static void read_variables(PGresult *r, struct variable_rows *ret_rows)
{
	struct variable_rows rows = { .result = r };

	if (db_rows(r) > 0 && db_text(r, 0, VARIABLE_ID) != NULL)
		rows.count = (size_t)db_rows(r);
	rows.items = mem_calloc(rows.count, sizeof(*rows.items));
	for (int i = 0; i < (int)rows.count; i++) {
		struct variable *v = &rows.items[i];
		v->id = db_text(r, i, VARIABLE_ID);
		v->project_id = db_text(r, i, VARIABLE_PROJECT_ID);
		v->key = db_text(r, i, VARIABLE_KEY);
		v->category = db_text(r, i, VARIABLE_CATEGORY);
		v->created_at = db_text(r, i, VARIABLE_CREATED_AT);
		v->updated_at = db_text(r, i, VARIABLE_UPDATED_AT);
		v->is_secret = db_bool(r, i, VARIABLE_IS_SECRET);
		v->value_sealed = store_bytes(&rows.decoded, r, i, VARIABLE_VALUE_SEALED,
					      &v->value_sealed_length);
	}
	*ret_rows = rows;
}

int variable_list(struct db *db, const char *user_id, const char *project_id,
		  struct variable_rows *ret_rows, struct err *e)
{
	CLEANUP(db_result_free) PGresult *r = NULL;

	if (db_query(db, &statements[STATEMENT_LIST],
		     DB_ARGS(DB_TEXT(project_id), DB_TEXT(user_id)), &r, e) < 0)
		return -1;
	if (db_rows(r) == 0)
		return store_project_not_found(e);
	read_variables(STEAL(r), ret_rows);
	return 0;
}

int variable_list_many(struct db *db, const char *user_id, const json_t *project_ids,
		       struct variable_rows *ret_rows, struct err *e)
{
	CLEANUP(db_result_free) PGresult *r = NULL;

	if (db_query(db, &statements[STATEMENT_LIST_MANY],
		     DB_ARGS(DB_JSON(project_ids), DB_TEXT(user_id)), &r, e) < 0)
		return -1;
	read_variables(STEAL(r), ret_rows);
	return 0;
}

int variable_get(struct db *db, const char *user_id, const char *project_id,
		 const char *variable_id, struct variable_rows *ret_rows, struct err *e)
{
	CLEANUP(db_result_free) PGresult *r = NULL;

	if (db_query(db, &statements[STATEMENT_GET],
		     DB_ARGS(DB_TEXT(project_id), DB_TEXT(user_id), DB_TEXT(variable_id)), &r,
		     e) < 0)
		return -1;
	if (db_rows(r) == 0)
		return store_project_not_found(e);
	if (db_text(r, 0, VARIABLE_ID) == NULL)
		return variable_not_found(e);
	read_variables(STEAL(r), ret_rows);
	return 0;
}

void variable_rows_clear(struct variable_rows *rows)
{
	store_bytes_free(&rows->decoded);
	db_result_free(&rows->result);
	free(rows->items);
	*rows = (struct variable_rows) { 0 };
}

/* ---- changing -------------------------------------------------------------------------------- */

/* Begins a transaction and locks the project. */
static int begin_change(struct db *db, const char *user_id, const char *project_id,
			struct db **ret_tx, struct err *e)
{
	if (db_begin(db, ret_tx, e) < 0)
		return -1;
	return store_lock_project(*ret_tx, user_id, project_id, NULL, e);
}

/* Checks the size of what was inserted; an error ends the transaction. */
static int check_size(struct db *tx, const char *project_id, struct err *e)
{
	CLEANUP(db_result_free) PGresult *r = NULL;

	if (db_query(tx, &statements[STATEMENT_FITS],
		     DB_ARGS(DB_TEXT(project_id), DB_INT(VARIABLES_SEALED_MAX)), &r, e) < 0)
		return -1;
	if (!db_bool(r, 0, 0))
		return err_set(e, ERR_UNPROCESSABLE, "VARIABLES_TOO_LARGE",
			       "A project's variables have at most %d KiB together",
			       VARIABLES_SEALED_MAX / 1024);
	return 0;
}

/* Commits; with `roll`, the sandbox gets what was changed. */
static int finish_change(struct db **tx, const char *project_id, bool roll, struct err *e)
{
	if (roll && (store_roll_sandboxes(*tx, project_id, SANDBOX_ALL, e) < 0 ||
		     store_settle_project(*tx, project_id, e) < 0))
		return -1;
	return db_commit(tx, e);
}

static json_t *variables_json(const struct variable_new *variables, size_t count)
{
	json_t *array = json_array();

	for (size_t i = 0; i < count; i++) {
		const struct variable_new *v = &variables[i];
		(void)json_array_append_new(
			array,
			json_pack("{s:o, s:o, s:b, s:o}", "key", store_json_text(v->key),
				  "category", store_json_text(v->category), "is_secret",
				  (int)v->is_secret, "value_sealed",
				  store_json_bytes(v->value_sealed, v->value_sealed_length)));
	}
	return array;
}

/* Removes variables that `given` does not name, in its categories and in `category` unless that is
 * NULL. */
static int clear(struct db *tx, const char *project_id, const json_t *given, const char *category,
		 bool *ret_changed, struct err *e)
{
	CLEANUP(db_result_free) PGresult *r = NULL;

	if (db_query(tx, &statements[STATEMENT_CLEAR],
		     DB_ARGS(DB_TEXT(project_id), DB_JSON(given), DB_TEXT(category)), &r, e) < 0)
		return -1;
	*ret_changed = db_rows(r) > 0;
	return 0;
}

static int put(struct db *tx, const char *project_id, const json_t *given, struct err *e)
{
	CLEANUP(db_result_free) PGresult *r = NULL;

	if (db_query(tx, &statements[STATEMENT_PUT],
		     DB_ARGS(DB_TEXT(project_id), DB_JSON(given), DB_INT(VARIABLES_MAX)), &r,
		     e) < 0)
		return -1;
	if (!db_bool(r, 0, 0))
		return err_set(e, ERR_UNPROCESSABLE, "TOO_MANY_VARIABLES",
			       "A project has at most %d variables", VARIABLES_MAX);
	return check_size(tx, project_id, e);
}

int variable_put(struct db *db, const char *user_id, const char *project_id,
		 const struct variable_new *variables, size_t count, struct err *e)
{
	CLEANUP(db_rollback_guard) struct db *tx = NULL;
	CLEANUP(json_decrefp) json_t *given = variables_json(variables, count);

	if (begin_change(db, user_id, project_id, &tx, e) < 0 || put(tx, project_id, given, e) < 0)
		return -1;
	return finish_change(&tx, project_id, count > 0, e);
}

int variable_replace(struct db *db, const char *user_id, const char *project_id,
		     const struct variable_new *variables, size_t count, const char *category,
		     struct err *e)
{
	CLEANUP(db_rollback_guard) struct db *tx = NULL;
	CLEANUP(json_decrefp) json_t *given = variables_json(variables, count);
	bool removed = false;

	if (begin_change(db, user_id, project_id, &tx, e) < 0 ||
	    clear(tx, project_id, given, category, &removed, e) < 0 ||
	    put(tx, project_id, given, e) < 0)
		return -1;
	return finish_change(&tx, project_id, count > 0 || removed, e);
}

int variable_change(struct db *db, const char *user_id, const char *project_id,
		    const char *variable_id, const struct variable_change *change, struct err *e)
{
	CLEANUP(db_rollback_guard) struct db *tx = NULL;
	CLEANUP(db_result_free) PGresult *r = NULL;

	if (begin_change(db, user_id, project_id, &tx, e) < 0 ||
	    db_query(tx, &statements[STATEMENT_CHANGE],
		     DB_ARGS(DB_TEXT(project_id), DB_TEXT(variable_id), DB_TEXT(change->category),
			     change->set_secret ? DB_BOOL(change->is_secret) : DB_NULL,
			     DB_BYTES(change->value_sealed, change->value_sealed_length)),
		     &r, e) < 0)
		return -1;
	if (db_rows(r) == 0)
		return variable_not_found(e);
	if (change->value_sealed != NULL && check_size(tx, project_id, e) < 0)
		return -1;
	/* Category and secrecy are only for people: the pod gets the value alone. */
	return finish_change(&tx, project_id, change->value_sealed != NULL, e);
}

int variable_delete(struct db *db, const char *user_id, const char *project_id,
		    const char *variable_id, struct err *e)
{
	CLEANUP(db_rollback_guard) struct db *tx = NULL;
	CLEANUP(db_result_free) PGresult *r = NULL;

	if (begin_change(db, user_id, project_id, &tx, e) < 0 ||
	    db_query(tx, &statements[STATEMENT_DELETE],
		     DB_ARGS(DB_TEXT(project_id), DB_TEXT(variable_id)), &r, e) < 0)
		return -1;
	if (db_rows(r) == 0)
		return variable_not_found(e);
	return finish_change(&tx, project_id, true, e);
}
