#include "store/maintenance.h"

#include "base/cleanup.h"
#include "store/internal.h"

enum statement {
	STATEMENT_BEGIN_CHANGE,
	STATEMENT_GET,
	STATEMENT_ON,
	STATEMENT_OFF,
	STATEMENT_WAIT,
};

/* SQL is laid out by hand. The names of columns are members of what is shown. */
/* clang-format off */
static const struct db_statement statements[] = {
	[STATEMENT_BEGIN_CHANGE] = { "maintenance_begin_change", "SELECT begin_change()" },
	[STATEMENT_GET] = { "maintenance_get",
		"SELECT message, iso8601(since) AS since FROM maintenance" },
	[STATEMENT_ON] = { "maintenance_on",
		"INSERT INTO maintenance (message) VALUES ($1)"
		" ON CONFLICT (is_on) DO UPDATE SET message = $1" },
	[STATEMENT_OFF] = { "maintenance_off", "DELETE FROM maintenance" },
	[STATEMENT_WAIT] = { "maintenance_wait", "SELECT end_changes()" },
};
/* clang-format on */

int maintenance_begin_change(struct db *db, struct err *e)
{
	CLEANUP(db_result_free) PGresult *r = NULL;

	if (db_query(db, &statements[STATEMENT_BEGIN_CHANGE], NULL, &r, e) < 0)
		return -1;
	const char *message = db_text(r, 0, 0);
	if (message == NULL)
		return 0;
	(void)err_set(e, ERR_MAINTENANCE, NULL, "%s", message);
	if (e != NULL)
		e->retry_after_s = MAINTENANCE_RETRY_S;
	return -1;
}

int maintenance_get(struct db *db, json_t **ret_maintenance, struct err *e)
{
	CLEANUP(json_decrefp) json_t *rows = NULL;

	if (store_rows(db, &statements[STATEMENT_GET], NULL, &rows, e) < 0)
		return -1;
	json_t *row = json_array_get(rows, 0);
	*ret_maintenance = row != NULL ? json_incref(row) : json_null();
	return 0;
}

int maintenance_set(struct db *db, const char *message, struct err *e)
{
	if (message == NULL)
		return db_query(db, &statements[STATEMENT_OFF], NULL, NULL, e);
	return db_query(db, &statements[STATEMENT_ON], DB_ARGS(DB_TEXT(message)), NULL, e);
}

int maintenance_wait(struct db *db, struct err *e)
{
	return db_query(db, &statements[STATEMENT_WAIT], NULL, NULL, e);
}
