#include "store/port.h"

#include <string.h>

#include "base/cleanup.h"
#include "store/internal.h"
#include "store/limit.h"

enum open_column { OPEN_HAS_SANDBOX, OPEN_IS_MADE };

enum find_column { FOUND_OWNER, FOUND_PROJECT, FOUND_SANDBOX };

enum statement {
	STATEMENT_OPEN,
	STATEMENT_CLOSE,
	STATEMENT_FIND,
};

/* $1 project, $2 which of its sandboxes. */
#define CHOSEN                                                                                     \
	"chosen AS (SELECT r.id FROM resources r WHERE r.project_id = $1"                          \
	" AND r.kind = 'SANDBOX' AND r.desired <> 'GONE' AND " STORE_IS_CHOSEN("r", "$2") ")"

/* SQL is laid out by hand. */
/* clang-format off */
static const struct db_statement statements[] = {
	/* A trigger inserts nothing if the sandbox has reached its limit. */
	[STATEMENT_OPEN] = { "port_open",
		"WITH " CHOSEN ", made AS ("
		" INSERT INTO ports (resource_id, port, name, access)"
		" SELECT id, $3::integer, $4, $5 FROM chosen"
		" ON CONFLICT (resource_id, port) DO UPDATE"
		"  SET name = excluded.name, access = excluded.access RETURNING id"
		") SELECT EXISTS (SELECT FROM chosen), EXISTS (SELECT FROM made)" },
	[STATEMENT_CLOSE] = { "port_close",
		"WITH " CHOSEN
		" DELETE FROM ports p USING chosen WHERE p.resource_id = chosen.id AND p.id = $3"
		" RETURNING p.id" },
	[STATEMENT_FIND] = { "port_find",
		"SELECT a.owner_id, a.project_id, r.id"
		" FROM ports p JOIN sandboxes s ON s.resource_id = p.resource_id"
		" JOIN resources r ON r.id = p.resource_id"
		" JOIN project_access a ON a.project_id = r.project_id"
		" WHERE s.app_host = $2 AND p.port = $3::integer"
		" AND p.access <> '" PORT_ACCESS_PUBLIC "'"
		" AND r.desired <> 'GONE' AND a.user_id = $1 AND a.role <= 'editor'" },
};
/* clang-format on */

static int open_port(struct db *tx, const char *user_id, const char *project_id,
		     const char *sandbox_id, const struct port_new *port, struct err *e)
{
	CLEANUP(db_result_free) PGresult *made = NULL;

	if (db_query(tx, &statements[STATEMENT_OPEN],
		     DB_ARGS(DB_TEXT(project_id), DB_TEXT(sandbox_id), DB_INT(port->port),
			     DB_TEXT(port->name), DB_TEXT(port->access)),
		     &made, e) < 0)
		return -1;
	if (!db_bool(made, 0, OPEN_HAS_SANDBOX))
		return store_sandbox_not_found(e);
	return db_bool(made, 0, OPEN_IS_MADE) ? 0 : limit_reached(tx, user_id, LIMIT_PORTS, e);
}

static int close_port(struct db *tx, const char *project_id, const char *sandbox_id,
		      const char *port_id, struct err *e)
{
	CLEANUP(db_result_free) PGresult *closed = NULL;

	if (db_query(tx, &statements[STATEMENT_CLOSE],
		     DB_ARGS(DB_TEXT(project_id), DB_TEXT(sandbox_id), DB_TEXT(port_id)), &closed,
		     e) < 0)
		return -1;
	if (db_rows(closed) == 0)
		return err_set(e, ERR_NOT_FOUND, "PORT_NOT_FOUND",
			       "This sandbox has no such open port");
	return 0;
}

/* Ends a change: the sandbox gets it, and the project its status. */
static int carry_out(struct db **tx, const char *project_id, const char *sandbox_id, struct err *e)
{
	if (store_roll_sandboxes(*tx, project_id, sandbox_id, e) < 0 ||
	    store_settle_project(*tx, project_id, e) < 0)
		return -1;
	return db_commit(tx, e);
}

int port_find(struct db *db, const char *user_id, const char *app_host, int port,
	      struct port_place *ret_place, struct err *e)
{
	CLEANUP(db_result_free) PGresult *found = NULL;

	if (db_query(db, &statements[STATEMENT_FIND],
		     DB_ARGS(DB_TEXT(user_id), DB_TEXT(app_host), DB_INT(port)), &found, e) < 0)
		return -1;
	if (db_rows(found) == 0)
		return err_set(e, ERR_NOT_FOUND, "PORT_NOT_FOUND",
			       "There is no private port of yours at this address");
	memcpy(ret_place->owner_id, db_text(found, 0, FOUND_OWNER), STORE_ID_LENGTH + 1);
	memcpy(ret_place->project_id, db_text(found, 0, FOUND_PROJECT), STORE_ID_LENGTH + 1);
	memcpy(ret_place->sandbox_id, db_text(found, 0, FOUND_SANDBOX), STORE_ID_LENGTH + 1);
	return 0;
}

int port_open(struct db *db, const char *user_id, const char *project_id, const char *sandbox_id,
	      const struct port_new *port, struct err *e)
{
	CLEANUP(db_rollback_guard) struct db *tx = NULL;

	if (db_begin(db, &tx, e) < 0 || store_lock_project(tx, user_id, project_id, NULL, e) < 0 ||
	    open_port(tx, user_id, project_id, sandbox_id, port, e) < 0)
		return -1;
	return carry_out(&tx, project_id, sandbox_id, e);
}

int port_close(struct db *db, const char *user_id, const char *project_id, const char *sandbox_id,
	       const char *port_id, struct err *e)
{
	CLEANUP(db_rollback_guard) struct db *tx = NULL;

	if (db_begin(db, &tx, e) < 0 || store_lock_project(tx, user_id, project_id, NULL, e) < 0 ||
	    close_port(tx, project_id, sandbox_id, port_id, e) < 0)
		return -1;
	return carry_out(&tx, project_id, sandbox_id, e);
}
