#ifndef FSA_DB_INTERNAL_H
#define FSA_DB_INTERNAL_H

#include <libpq-fe.h>

#include "base/err.h"
#include "db/db.h"

/* What the files of this layer share and others do not see. */

/* What a SQLSTATE means for the program. */
enum db_connection_fate {
	DB_CONNECTION_KEPT,
	DB_CONNECTION_USELESS, /* the statement may have taken effect, or not */
	DB_CONNECTION_RETRY,   /* useless, and the statement certainly took no effect */
};
struct db_sqlstate {
	const char *prefix; /* of the five characters; the first row that fits counts */
	enum err_kind kind;
	enum db_connection_fate fate;
	const char *hint; /* what an administrator should do, or NULL */
};
const struct db_sqlstate *db_sqlstate_find(const char *sqlstate);

/* Turns a failed result into an error. */
int db_error_from_result(const PGresult *result, struct err *e);
/* libpq's last message about a connection, on one line. */
int db_error_from_connection(const PGconn *conn, const char *what, struct err *e);

/* Arguments as libpq takes them. */
struct db_wire {
	int count;
	const char *values[DB_ARGS_MAX];
	int lengths[DB_ARGS_MAX];
	int formats[DB_ARGS_MAX];
	char numbers[DB_ARGS_MAX][24]; /* text of integers */
	char *dumps[DB_ARGS_MAX];      /* text of JSON; NULL: not JSON */
};
void db_wire_encode(const struct db_args *args, struct db_wire *ret_wire);
void db_wire_clear(struct db_wire *wire);

/* Runs a text of several statements inside a transaction. On failure `*ret_line` is the line the
 * server points to, 0 if it points to none. */
int db_run_script(struct db *tx, const char *sql, unsigned *ret_line, struct err *e);

#endif
