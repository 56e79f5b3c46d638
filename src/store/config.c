#include "store/config.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "store/internal.h"
#include "store/project.h"

/* Per user; all are always read together. */
enum { SETTINGS_MAX = 100 };

enum statement {
	STATEMENT_SETTINGS,
	STATEMENT_SETTING_PUT,
	STATEMENT_SETTING_DELETE,
	STATEMENT_PROJECTS,
};

/* SQL is laid out by hand. */
/* clang-format off */
static const struct db_statement statements[] = {
	[STATEMENT_SETTINGS] = { "setting_list",
		"SELECT key, value, value_sealed FROM user_config"
		" WHERE user_id = $1 ORDER BY key" },
	[STATEMENT_SETTING_PUT] = { "setting_put",
		"INSERT INTO user_config (user_id, key, value_sealed)"
		" SELECT $1, $2, $3 WHERE (SELECT count(*) FROM user_config"
		"  WHERE user_id = $1 AND key <> $2) < $4::bigint"
		" ON CONFLICT (user_id, key) DO UPDATE"
		" SET value = NULL, value_sealed = excluded.value_sealed,"
		"  updated_at = now()"
		" RETURNING key" },
	[STATEMENT_SETTING_DELETE] = { "setting_delete",
		"DELETE FROM user_config WHERE user_id = $1 AND key = $2" },
	[STATEMENT_PROJECTS] = { "setting_projects",
		"SELECT id, name FROM projects WHERE user_id = $1 AND deleted_at IS NULL"
		" ORDER BY id FOR NO KEY UPDATE" },
};
/* clang-format on */

int setting_list(struct db *db, const char *user_id, struct setting_rows *ret_rows, struct err *e)
{
	struct setting_rows rows = { 0 };

	if (db_query(db, &statements[STATEMENT_SETTINGS], DB_ARGS(DB_TEXT(user_id)), &rows.result,
		     e) < 0)
		return -1;
	rows.count = (size_t)db_rows(rows.result);
	rows.items = mem_calloc(rows.count, sizeof(*rows.items));
	for (int i = 0; i < (int)rows.count; i++) {
		struct setting *setting = &rows.items[i];
		setting->key = db_text(rows.result, i, 0);
		setting->value = db_text(rows.result, i, 1);
		setting->value_sealed = store_bytes(&rows.decoded, rows.result, i, 2,
						    &setting->value_sealed_length);
	}
	*ret_rows = rows;
	return 0;
}

void setting_rows_clear(struct setting_rows *rows)
{
	db_result_free(&rows->result);
	store_bytes_free(&rows->decoded);
	free(rows->items);
	*rows = (struct setting_rows) { 0 };
}

int setting_put(struct db *db, const char *user_id, const char *key, const void *value_sealed,
		size_t value_sealed_length, struct err *e)
{
	CLEANUP(db_result_free) PGresult *r = NULL;

	if (db_query(db, &statements[STATEMENT_SETTING_PUT],
		     DB_ARGS(DB_TEXT(user_id), DB_TEXT(key),
			     DB_BYTES(value_sealed, value_sealed_length), DB_INT(SETTINGS_MAX)),
		     &r, e) < 0)
		return -1;
	if (db_rows(r) == 0)
		return err_set(e, ERR_UNPROCESSABLE, "TOO_MANY_SETTINGS",
			       "A user has at most %d settings: remove one first", SETTINGS_MAX);
	return 0;
}

int setting_delete(struct db *db, const char *user_id, const char *key, struct err *e)
{
	return db_query(db, &statements[STATEMENT_SETTING_DELETE],
			DB_ARGS(DB_TEXT(user_id), DB_TEXT(key)), NULL, e);
}

static int roll(struct db *tx, const char *user_id, const PGresult *projects, bool force,
		struct err *e)
{
	CLEANUP(json_decrefp) json_t *ids = json_array();

	for (int i = 0; i < db_rows(projects); i++) {
		const char *id = db_text(projects, i, 0);
		if (project_ask_risk(tx, user_id, id, SANDBOX_ALL, RISK_ENDS_SANDBOX, force, e) < 0)
			return err_wrap(e, "project %s", db_text(projects, i, 1));
		if (store_roll_sandboxes(tx, id, SANDBOX_ALL, e) < 0)
			return -1;
		(void)json_array_append_new(ids, json_string(id));
	}
	return store_settle_projects(tx, ids, e);
}

int setting_roll_sandboxes(struct db *db, const char *user_id, bool force, struct err *e)
{
	CLEANUP(db_rollback_guard) struct db *tx = NULL;
	CLEANUP(db_result_free) PGresult *projects = NULL;

	if (db_begin(db, &tx, e) < 0 ||
	    db_query(tx, &statements[STATEMENT_PROJECTS], DB_ARGS(DB_TEXT(user_id)), &projects, e) <
		    0 ||
	    roll(tx, user_id, projects, force, e) < 0)
		return -1;
	return db_commit(&tx, e);
}
