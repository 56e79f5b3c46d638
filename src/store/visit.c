#include "store/visit.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "store/internal.h"
#include "store/maintenance.h"
#include "store/project.h"

#define IS_MEMBER                                                                                  \
	"EXISTS (SELECT FROM project_access a"                                                     \
	" WHERE a.project_id = r.project_id AND a.user_id = $2::uuid)"

#define COLUMNS(X)                                                                                 \
	X(SANDBOX_ID, "r.id")                                                                      \
	X(PROJECT_ID, "r.project_id")                                                              \
	X(OWNER_ID, "r.user_id")                                                                   \
	X(BY_MEMBER, IS_MEMBER)                                                                    \
	X(OF_TERMINAL, "s.ttyd_host = $1")                                                         \
	X(DESIRED, "r.desired")                                                                    \
	X(STATUS, "r.status")

enum visit_column { COLUMN_NONE, COLUMNS(STORE_COLUMN_ENUM) };

/* The address of an open port is the app's with the port behind its first label. */
#define PORT_FORM "'^([^.]+)-([0-9]{1,5})([.])'"

/* Whether a row of sandboxes `s` has the address $1. */
#define HAS_ADDRESS                                                                                \
	"(s.app_host = $1 OR s.ttyd_host = $1"                                                     \
	" OR s.app_host = regexp_replace($1, " PORT_FORM ", '\\1\\3') AND EXISTS"                  \
	" (SELECT FROM ports o WHERE o.resource_id = s.resource_id"                                \
	" AND o.port::text = (regexp_match($1, " PORT_FORM "))[2]))"

enum statement {
	STATEMENT_FIND,
	STATEMENT_IS_RUNNING,
	STATEMENT_IS_STOPPED,
};

/* SQL is laid out by hand. */
/* clang-format off */
static const struct db_statement statements[] = {
	[STATEMENT_FIND] = { "visit_find",
		STORE_SELECT(COLUMNS)
		"FROM sandboxes s JOIN resources r ON r.id = s.resource_id"
		" JOIN projects p ON p.id = r.project_id JOIN users u ON u.id = r.user_id"
		" WHERE " HAS_ADDRESS
		"  AND r.desired <> 'GONE' AND p.deleted_at IS NULL"
		"  AND u.disabled_at IS NULL AND u.deleted_at IS NULL"
		"  AND (p.wake = 'anyone' OR (p.wake = 'owner' AND r.user_id = $2::uuid)"
		"   OR (p.wake = 'members' AND " IS_MEMBER "))" },
	[STATEMENT_IS_RUNNING] = { "visit_is_running",
		"SELECT FROM sandboxes s JOIN resources r ON r.id = s.resource_id"
		" WHERE " HAS_ADDRESS " AND r.status = 'RUNNING'" },
	[STATEMENT_IS_STOPPED] = { "visit_is_stopped",
		"SELECT FROM resources WHERE id = $1 AND desired = 'STOPPED'" },
};
/* clang-format on */

static void copy_id(const PGresult *r, int column, char ret_id[STORE_ID_LENGTH + 1])
{
	(void)snprintf(ret_id, STORE_ID_LENGTH + 1, "%s", db_text(r, 0, column));
}

int visit_find(struct db *db, const char *host, const char *visitor_id, struct visit *ret_visit,
	       struct err *e)
{
	CLEANUP(db_result_free) PGresult *r = NULL;

	if (db_query(db, &statements[STATEMENT_FIND], DB_ARGS(DB_TEXT(host), DB_TEXT(visitor_id)),
		     &r, e) < 0)
		return -1;
	if (db_rows(r) == 0)
		return err_set(e, ERR_NOT_FOUND, "ADDRESS_NOT_FOUND",
			       "Nothing runs at this address, or nothing that you may start");
	copy_id(r, SANDBOX_ID, ret_visit->sandbox_id);
	copy_id(r, PROJECT_ID, ret_visit->project_id);
	copy_id(r, OWNER_ID, ret_visit->owner_id);
	ret_visit->by_member = db_bool(r, 0, BY_MEMBER);
	ret_visit->of_terminal = db_bool(r, 0, OF_TERMINAL);
	if (store_desired(r, 0, DESIRED, &ret_visit->desired, e) < 0)
		return -1;
	return store_status(r, 0, STATUS, &ret_visit->status, e);
}

int visit_is_running(struct db *db, const char *host, bool *ret_running, struct err *e)
{
	CLEANUP(db_result_free) PGresult *r = NULL;

	if (db_query(db, &statements[STATEMENT_IS_RUNNING], DB_ARGS(DB_TEXT(host)), &r, e) < 0)
		return -1;
	*ret_running = db_rows(r) > 0;
	return 0;
}

/* Once the project is locked: those who waited for the lock find that it is started. */
static int start(struct db *tx, const struct visit *v, bool *ret_started, struct err *e)
{
	CLEANUP(db_result_free) PGresult *stopped = NULL;

	if (db_query(tx, &statements[STATEMENT_IS_STOPPED], DB_ARGS(DB_TEXT(v->sandbox_id)),
		     &stopped, e) < 0)
		return -1;
	*ret_started = db_rows(stopped) > 0;
	if (!*ret_started)
		return 0;
	if (project_ask_risk(tx, v->owner_id, v->project_id, v->sandbox_id, RISK_STARTS, false, e) <
	    0)
		return -1;
	return sandbox_set_desired(tx, v->owner_id, v->project_id, v->sandbox_id, DESIRED_RUNNING,
				   e);
}

int visit_start(struct db *db, const struct visit *visit, bool *ret_started, struct err *e)
{
	CLEANUP(db_rollback_guard) struct db *tx = NULL;

	if (db_begin(db, &tx, e) < 0 || maintenance_begin_change(tx, e) < 0 ||
	    store_lock_project(tx, visit->owner_id, visit->project_id, NULL, e) < 0 ||
	    start(tx, visit, ret_started, e) < 0)
		return -1;
	return db_commit(&tx, e);
}
