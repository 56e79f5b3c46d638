/* Asking before data is lost. */
#include "base/cleanup.h"
#include "domain/warning.h"
#include "store/internal.h"
#include "store/project.h"

enum statement { STATEMENT_RISK, STATEMENT_FORCE };

/* SQL is laid out by hand. */
/* clang-format off */
static const struct db_statement statements[] = {
	[STATEMENT_RISK] = { "project_risk",
		"SELECT w.warning ->> 'message'"
		" FROM resources r, jsonb_array_elements(r.warnings) AS w (warning)"
		" WHERE r.project_id = $1 AND r.desired <> 'GONE'"
		"  AND w.warning ->> 'code' = $2 LIMIT 1" },
	[STATEMENT_FORCE] = { "project_force",
		"UPDATE resources SET forced = true"
		" WHERE project_id = $1 AND desired <> 'GONE'" },
};
/* clang-format on */

static int ask(struct db *tx, const char *project_id, struct err *e)
{
	const struct warning_text *going = warning_text(WARNING_HOME_VOLUME_GOING);
	CLEANUP(db_result_free) PGresult *r = NULL;
	struct db_params p = { 0 };

	db_add_text(&p, project_id);
	db_add_text(&p, going->code);
	if (db_query(tx, &statements[STATEMENT_RISK], &p, &r, e) < 0)
		return -1;
	if (db_rows(r) == 0)
		return 0;
	return err_set(e, ERR_DATA_AT_RISK, NULL,
		       "%s (%s). This would end its pod, and its files with it: save them first, "
		       "then send the request with \"force\": true",
		       going->headline, db_text(r, 0, 0));
}

int project_ask_risk(struct db *db, const char *user_id, const char *project_id, bool force,
		     struct err *e)
{
	CLEANUP(db_rollback_guard) struct db *tx = NULL;
	struct db_params p = { 0 };

	db_add_text(&p, project_id);
	if (db_begin(db, &tx, e) < 0 || store_lock_project(tx, user_id, project_id, NULL, e) < 0)
		return -1;
	if (force ? db_query(tx, &statements[STATEMENT_FORCE], &p, NULL, e) < 0
		  : ask(tx, project_id, e) < 0)
		return -1;
	return db_commit(&tx, e);
}
