#ifndef FSA_DB_DB_H
#define FSA_DB_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libpq-fe.h>

#include "base/err.h"

/*
 * A connection to PostgreSQL. It reconnects by itself: a statement that finds the connection gone
 * before it was sent is sent on a new one; a statement during which it goes fails with
 * ERR_UNAVAILABLE (the caller cannot know whether it took effect). Every wait has a limit, kept on
 * this side: when a statement's time is up the connection is dropped, and the server ends the
 * statement when it notices (client_connection_check_interval of the roles).
 *
 * A connection string may name several hosts, a server and its standbys (with
 * target_session_attrs=read-write): each gets an equal part of the time for connecting.
 *
 * Statements are constants; each is prepared on first use, or, where `prepare` is false (pgbouncer
 * in transaction mode), sent with its parameters each time. No session state is relied upon beyond
 * that: no SET, no session advisory locks; LISTEN only as below.
 */
struct db;

struct db_options {
	const char *conninfo; /* libpq connection string or URI */
	const char *role;     /* user, unless the conninfo names one */
	const char *application_name;
	bool prepare;
	uint64_t timeout_ms;
};

/* Does not fail when there is no server: the first statement connects. */
struct db *db_new(const struct db_options *options);
void db_free(struct db *db);
void db_freep(struct db **db);
/* For a process that was forked: leaves the connection to its parent. The next statement opens a
 * new one. Not while a statement runs. */
void db_disown(struct db *db);

struct db_statement {
	const char *name; /* of the prepared statement; unique in the program */
	const char *sql;
};

/*
 * Arguments, $1 first, beside the statement that takes them:
 *
 *     db_query(db, &statement, DB_ARGS(DB_TEXT(id), DB_INT(limit)), &result, e)
 *
 * What they point to is borrowed until the statement has run. A NULL pointer is SQL NULL.
 */
struct json_t;
enum db_arg_type { DB_ARG_TEXT, DB_ARG_INT, DB_ARG_BYTES, DB_ARG_JSON };
struct db_arg {
	enum db_arg_type type;
	union {
		const char *text;
		int64_t number;
		const void *bytes;
		const struct json_t *json;
	};
	size_t length; /* of bytes */
};
struct db_args {
	size_t count;
	const struct db_arg *items;
};
enum { DB_ARGS_MAX = 32 };

#define DB_TEXT(t)     ((struct db_arg) { .type = DB_ARG_TEXT, .text = (t) })
#define DB_INT(n)      ((struct db_arg) { .type = DB_ARG_INT, .number = (int64_t)(n) })
#define DB_BOOL(b)     DB_TEXT((b) ? "t" : "f")
#define DB_JSON(j)     ((struct db_arg) { .type = DB_ARG_JSON, .json = (j) })
#define DB_NULL        DB_TEXT(NULL)
#define DB_BYTES(b, l) ((struct db_arg) { .type = DB_ARG_BYTES, .bytes = (b), .length = (l) })
#define DB_ARGS(...)                                                                               \
	(&(const struct db_args) {                                                                 \
		.count = sizeof((const struct db_arg[]) { __VA_ARGS__ }) / sizeof(struct db_arg),  \
		.items = (const struct db_arg[]) { __VA_ARGS__ },                                  \
	})

/*
 * Runs a statement; `*ret_result` (NULL: not needed) is the caller's to db_result_free(). `args`
 * may be NULL. Errors: ERR_UNAVAILABLE with retry_after_s (no connection, timeout, shutting down,
 * too many connections, serialization failure, deadlock), ERR_CONFLICT (unique violation; code is
 * the constraint's name), ERR_INVALID (check or foreign key violation, code likewise; a text that
 * is no time), ERR_INTERNAL (any other; message has SQLSTATE and the server's primary message,
 * never values).
 */
int db_query(struct db *db, const struct db_statement *statement, const struct db_args *args,
	     PGresult **ret_result, struct err *e);

/*
 * Transactions. A transaction that is not committed when its guard goes out of scope is rolled
 * back. db_begin() inside a transaction joins it: its db_commit() leaves the commit to the
 * outermost one, and when it is rolled back no further statement and no commit succeed until the
 * outermost one has been rolled back, too.
 *
 *     CLEANUP(db_rollback_guard) struct db *tx = NULL;
 *     if (db_begin(db, &tx, e) < 0)
 *             return -1;
 *     ...
 *     return db_commit(&tx, e);
 */
int db_begin(struct db *db, struct db **ret_tx, struct err *e);
int db_commit(struct db **tx, struct err *e); /* sets *tx to NULL */
void db_rollback_guard(struct db **tx);

/*
 * Notifications. A `struct db` that listens does nothing else, so that it is never reconnected
 * unnoticed, which would lose notifications. A lost connection is an error, after which db_listen()
 * is called again. It needs a session of its own: pgbouncer in transaction mode does not work, nor
 * does a standby.
 */
/* On a new connection; every notification after this returns is received. `statement`: the
 * LISTEN. */
int db_listen(struct db *db, const struct db_statement *statement, struct err *e);
/* Readable when there may be a notification, or the connection's end; -1: not connected. */
int db_socket(const struct db *db);
/* The payload of the next one that has arrived, for the caller to free(); NULL: none. They come in
 * the order in which their transactions were committed. ERR_UNAVAILABLE: the connection is lost. */
int db_next_notification(struct db *db, char **ret_payload, struct err *e);

/* Whether a statement would reach the server now; for readyz. */
int db_ping(struct db *db, struct err *e);

/* Results. Columns by number, in the order of the statement. */
void db_result_free(PGresult **result); /* for CLEANUP; NULL is fine */
int db_rows(const PGresult *r);
const char *db_text(const PGresult *r, int row, int column); /* NULL for SQL NULL; borrowed */
int64_t db_int(const PGresult *r, int row, int column);      /* 0 for NULL */
bool db_bool(const PGresult *r, int row, int column);
/* Decodes a bytea into memory that the caller frees; NULL for NULL. */
uint8_t *db_bytes(const PGresult *r, int row, int column, size_t *ret_length);

#endif
