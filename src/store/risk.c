/* Confirmations before data is lost. */
#include <string.h>

#include "base/cleanup.h"
#include "domain/warning.h"
#include "store/internal.h"
#include "store/project.h"

enum statement { STATEMENT_RISK, STATEMENT_FORCE };
enum risk_column { RISK_CODE, RISK_MESSAGE };

/* SQL is laid out by hand. */
/* clang-format off */
static const struct db_statement statements[] = {
	/* $1 project, $2 warnings that matter for rows not stopped, $3 those for stopped ones, $4
	 * which sandboxes. */
	[STATEMENT_RISK] = { "project_risk",
		"SELECT w.warning ->> 'code', w.warning ->> 'message'"
		" FROM resources r, jsonb_array_elements(r.warnings) AS w (warning)"
		" WHERE r.project_id = $1 AND r.desired <> 'GONE'"
		"  AND CASE WHEN r.status = 'STOPPED' THEN $3::jsonb ELSE $2::jsonb END"
		"   ? (w.warning ->> 'code')"
		"  AND (r.kind <> 'SANDBOX' OR " STORE_IS_CHOSEN("r", "$4") ")"
		" ORDER BY r.kind LIMIT 1" },
	/* $2 whether the request includes the database, $3 which sandboxes. */
	[STATEMENT_FORCE] = { "project_force",
		"UPDATE resources SET forced = true"
		" WHERE project_id = $1 AND desired <> 'GONE'"
		"  AND CASE kind WHEN 'SANDBOX' THEN " STORE_IS_CHOSEN("resources", "$3")
		"   ELSE $2::boolean END" },
};
/* clang-format on */

/* Which requests lose data while a warning holds, for running and for stopped resources, and
 * how. */
static const struct risk {
	enum warning warning;
	unsigned running, stopped; /* RISK_… */
	const char *loss;
} risks[] = {
	{ WARNING_HOME_VOLUME_GOING, RISK_ENDS_SANDBOX, RISK_STARTS,
	  "This ends its pod, and its files with it: save them first, or insist." },
	{ WARNING_HOME_VOLUME_GONE, RISK_STARTS, RISK_STARTS,
	  "This starts with an empty home directory: have the volume restored first, or insist." },
	{ WARNING_DATABASE_VOLUME_GOING, RISK_ENDS_DATABASE, RISK_STARTS,
	  "This stops the database, and its data goes with it: dump it first, or insist." },
	{ WARNING_DATABASE_VOLUME_GONE, RISK_STARTS, RISK_STARTS,
	  "This starts with an empty database: have the volume restored first, or insist." },
};

static const struct risk *find_risk(const char *code)
{
	for (size_t i = 0; i < ARRAY_SIZE(risks); i++) {
		if (strcmp(warning_text(risks[i].warning)->code, code) == 0)
			return &risks[i];
	}
	return NULL;
}

static json_t *codes(unsigned request, bool stopped)
{
	json_t *list = json_array();

	for (size_t i = 0; i < ARRAY_SIZE(risks); i++) {
		if (request & (stopped ? risks[i].stopped : risks[i].running))
			(void)json_array_append_new(
				list, json_string(warning_text(risks[i].warning)->code));
	}
	return list;
}

static int ask(struct db *tx, const char *project_id, const char *sandbox_id, unsigned request,
	       struct err *e)
{
	CLEANUP(json_decrefp) json_t *running = codes(request, false);
	CLEANUP(json_decrefp) json_t *stopped = codes(request, true);
	CLEANUP(db_result_free) PGresult *r = NULL;

	if (db_query(tx, &statements[STATEMENT_RISK],
		     DB_ARGS(DB_TEXT(project_id), DB_JSON(running), DB_JSON(stopped),
			     DB_TEXT(sandbox_id)),
		     &r, e) < 0)
		return -1;
	if (db_rows(r) == 0)
		return 0;
	const struct risk *risk = find_risk(db_text(r, 0, RISK_CODE));
	if (risk == NULL)
		return 0;
	return err_set(e, ERR_DATA_AT_RISK, NULL, "%s (%s). %s",
		       warning_text(risk->warning)->headline, db_text(r, 0, RISK_MESSAGE),
		       risk->loss);
}

static int force_it(struct db *tx, const char *project_id, const char *sandbox_id, unsigned request,
		    struct err *e)
{
	return db_query(tx, &statements[STATEMENT_FORCE],
			DB_ARGS(DB_TEXT(project_id),
				DB_BOOL((request & (RISK_ENDS_DATABASE | RISK_STARTS)) != 0),
				DB_TEXT(sandbox_id)),
			NULL, e);
}

int project_ask_risk(struct db *db, const char *user_id, const char *project_id,
		     const char *sandbox_id, unsigned request, bool force, struct err *e)
{
	CLEANUP(db_rollback_guard) struct db *tx = NULL;

	if (db_begin(db, &tx, e) < 0 || store_lock_project(tx, user_id, project_id, NULL, e) < 0)
		return -1;
	int done = force ? force_it(tx, project_id, sandbox_id, request, e)
			 : ask(tx, project_id, sandbox_id, request, e);
	if (done < 0)
		return -1;
	return db_commit(&tx, e);
}
