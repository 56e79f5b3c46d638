#include "db/db.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/heartbeat.h"
#include "base/mem.h"
#include "db/hosts.h"
#include "db/internal.h"

/* After a failed attempt, no connection is attempted for this long: requests fail at once instead
 * of queueing for a server that is away. */
enum { CONNECT_PAUSE_MS = 200 };
/* A statement may be allowed hours (a migration); a connection never takes longer than this. */
enum { CONNECT_MAX_MS = 10000 };

enum transaction {
	TRANSACTION_NONE,
	TRANSACTION_OPEN,
	TRANSACTION_LOST,   /* its connection is lost */
	TRANSACTION_DOOMED, /* an inner part was rolled back, so the whole will be */
};

struct prepared {
	const struct db_statement *statement;
};

struct db {
	char *conninfo;
	struct db_hosts hosts;
	char *role;
	char *application_name;
	bool prepare;
	uint64_t timeout_ms;
	PGconn *conn; /* NULL: none */
	uint64_t connect_not_before_ms;
	struct err connect_error;
	struct prepared *prepared; /* statements on this connection */
	size_t prepared_count;
	enum transaction transaction;
	unsigned depth; /* nested db_begin() calls */
};

static const struct db_statement statement_begin = { "db_begin", "BEGIN" };
static const struct db_statement statement_commit = { "db_commit", "COMMIT" };
static const struct db_statement statement_rollback = { "db_rollback", "ROLLBACK" };
static const struct db_statement statement_ping = { "db_ping", "SELECT 1" };

struct db *db_new(const struct db_options *options)
{
	struct db *db = mem_calloc(1, sizeof(*db));

	db->conninfo = mem_strdup(options->conninfo);
	db_hosts_parse(options->conninfo, &db->hosts);
	db->role = mem_strdup(options->role);
	db->application_name = mem_strdup(options->application_name);
	db->prepare = options->prepare;
	db->timeout_ms = options->timeout_ms;
	return db;
}

static void drop_connection(struct db *db)
{
	PQfinish(db->conn);
	db->conn = NULL;
	db->prepared_count = 0;
	if (db->transaction != TRANSACTION_NONE)
		db->transaction = TRANSACTION_LOST;
}

void db_free(struct db *db)
{
	if (db == NULL)
		return;
	PQfinish(db->conn);
	free(db->prepared);
	free(db->conninfo);
	db_hosts_clear(&db->hosts);
	free(db->role);
	free(db->application_name);
	free(db);
}

void db_freep(struct db **db)
{
	db_free(*db);
}

void db_disown(struct db *db)
{
	int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);

	/* What libpq sends when it closes must not reach the server, where the session
	 * continues. */
	if (db->conn != NULL && nowhere >= 0 && dup2(nowhere, PQsocket(db->conn)) < 0)
		abort();
	cleanup_close(&nowhere);
	drop_connection(db);
	db->transaction = TRANSACTION_NONE;
	db->depth = 0;
}

/* ---- waiting --------------------------------------------------------------------------------- */

/* Waits for events on the socket: returns 1, or 0 at the deadline. */
static int wait_socket(const struct db *db, short events, uint64_t deadline)
{
	struct pollfd p = { .fd = PQsocket(db->conn), .events = events };

	for (;;) {
		uint64_t now = clock_ms();
		if (now >= deadline)
			return 0;
		uint64_t left = deadline - now;
		heartbeat_pause();
		int got = poll(&p, 1, left > 60000 ? 60000 : (int)left);
		heartbeat_beat();
		if (got > 0 || (got < 0 && errno != EINTR))
			return 1; /* libpq will find out what is wrong */
	}
}

/* Sends what is buffered, and reads until the response to the statement is complete. */
static int wait_answer(struct db *db, uint64_t deadline, struct err *e)
{
	for (;;) {
		int unsent = PQflush(db->conn);
		if (unsent < 0)
			return db_error_from_connection(db->conn, "the connection was lost", e);
		if (unsent == 0 && !PQisBusy(db->conn))
			return 0;
		short events = (short)(unsent ? POLLIN | POLLOUT : POLLIN);
		if (!wait_socket(db, events, deadline))
			return db_error_from_connection(NULL, "no answer in time", e);
		if (!PQconsumeInput(db->conn))
			return db_error_from_connection(db->conn, "the connection was lost", e);
	}
}

/* ---- connecting ------------------------------------------------------------------------------ */

static void ignore_notice(void *unused, const char *message)
{
	(void)unused;
	(void)message;
}

/* The connection string overrides what comes before it, and the current host overrides its list of
 * hosts. None of these is a server parameter, which pgbouncer would refuse. */
static PGconn *connect_start(const struct db *db)
{
	CLEANUP(cleanup_free) char *host = db_hosts_name(&db->hosts);
	CLEANUP(cleanup_free) char *port = db_hosts_port(&db->hosts);
	char milliseconds[24];

	(void)snprintf(milliseconds, sizeof(milliseconds), "%llu",
		       (unsigned long long)db->timeout_ms);
	const char *const names[] = { "user",
				      "fallback_application_name",
				      "client_encoding",
				      "keepalives_idle",
				      "keepalives_interval",
				      "keepalives_count",
				      "tcp_user_timeout",
				      "dbname",
				      "host",
				      "port",
				      NULL };
	const char *const values[] = { db->role,     db->application_name, "UTF8", "30", "5", "3",
				       milliseconds, db->conninfo,         host,   port, NULL };
	return PQconnectStartParams(names, values, 1);
}

static int connect_wait(struct db *db, uint64_t deadline, struct err *e)
{
	PostgresPollingStatusType next = PGRES_POLLING_WRITING;

	if (PQstatus(db->conn) == CONNECTION_BAD)
		return db_error_from_connection(db->conn, "cannot connect", e);
	while (next != PGRES_POLLING_OK) {
		short events = next == PGRES_POLLING_READING ? POLLIN : POLLOUT;
		if (!wait_socket(db, events, deadline))
			return db_error_from_connection(NULL, "cannot connect: no answer in time",
							e);
		next = PQconnectPoll(db->conn);
		if (next == PGRES_POLLING_FAILED)
			return db_error_from_connection(db->conn, "cannot connect", e);
	}
	return 0;
}

/* Connects to the current host. */
static int connect_once(struct db *db, uint64_t limit_ms, struct err *e)
{
	uint64_t deadline = clock_ms() + limit_ms;

	db->conn = connect_start(db);
	if (db->conn == NULL)
		abort(); /* out of memory */
	(void)PQsetNoticeProcessor(db->conn, ignore_notice, NULL);
	if (connect_wait(db, deadline, e) == 0)
		return PQsetnonblocking(db->conn, 1);
	drop_connection(db);
	return -1;
}

static int connect_now(struct db *db, struct err *e)
{
	uint64_t limit = db->timeout_ms < CONNECT_MAX_MS ? db->timeout_ms : CONNECT_MAX_MS;

	if (clock_ms() >= db->connect_not_before_ms) {
		for (size_t i = 0; i < db->hosts.count; i++) {
			if (connect_once(db, limit / db->hosts.count, &db->connect_error) == 0)
				return 0;
			db_hosts_next(&db->hosts);
		}
		db->connect_not_before_ms = clock_ms() + CONNECT_PAUSE_MS;
	}
	if (e != NULL)
		*e = db->connect_error;
	return -1;
}

/* Whether the connection still exists, as far as can be told without sending: reads what has
 * arrived, such as notices, or the server's last message and the end. */
static bool connection_alive(struct db *db)
{
	struct pollfd p = { .fd = PQsocket(db->conn), .events = POLLIN };

	while (PQstatus(db->conn) == CONNECTION_OK && poll(&p, 1, 0) > 0) {
		if (!PQconsumeInput(db->conn))
			return false;
	}
	return PQstatus(db->conn) == CONNECTION_OK;
}

/* ---- statements ------------------------------------------------------------------------------ */

static bool is_prepared(const struct db *db, const struct db_statement *statement)
{
	for (size_t i = 0; i < db->prepared_count; i++) {
		if (db->prepared[i].statement == statement)
			return true;
	}
	return false;
}

static void note_prepared(struct db *db, const struct db_statement *statement)
{
	db->prepared = mem_realloc(db->prepared, db->prepared_count + 1, sizeof(*db->prepared));
	db->prepared[db->prepared_count++].statement = statement;
}

/* Reads the response to what was just sent. If it does not arrive, or the server has ended the
 * connection, the connection is dropped. */
static int receive(struct db *db, int sent, PGresult **ret_result, struct err *e)
{
	CLEANUP(db_result_free) PGresult *result = NULL;
	uint64_t deadline = clock_ms() + db->timeout_ms;

	if (!sent) {
		db_error_from_connection(db->conn, "the connection was lost", e);
		drop_connection(db);
		return -1;
	}
	for (;;) {
		if (wait_answer(db, deadline, e) < 0) {
			/* The server notices the disconnection (client_connection_check_interval,
			 * sql/0002_roles.sql) and ends the statement: a cancel request would have
			 * to wait for the same server. */
			drop_connection(db);
			return -1;
		}
		PGresult *next = PQgetResult(db->conn);
		if (next == NULL)
			break;
		/* For a script: the first failure, or the last result. */
		if (result != NULL && PQresultStatus(result) == PGRES_FATAL_ERROR) {
			PQclear(next);
			continue;
		}
		PQclear(result);
		result = next;
	}
	*ret_result = STEAL(result);
	return 0;
}

/* Returns -1 if the result is a failure. `*ret_retry`: the connection was dropped, and the
 * statement had no effect. */
static int check_result(struct db *db, const PGresult *result, bool *ret_retry, struct err *e)
{
	ExecStatusType status = PQresultStatus(result);

	*ret_retry = false;
	if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK || status == PGRES_EMPTY_QUERY)
		return 0;
	const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	if (sqlstate == NULL) {
		db_error_from_connection(db->conn, "the connection was lost", e);
		drop_connection(db);
		return -1;
	}
	db_error_from_result(result, e);
	enum db_connection_fate fate = db_sqlstate_find(sqlstate)->fate;
	if (fate != DB_CONNECTION_KEPT)
		drop_connection(db);
	*ret_retry = fate == DB_CONNECTION_RETRY;
	return -1;
}

static int prepare(struct db *db, const struct db_statement *statement, bool *ret_retry,
		   struct err *e)
{
	CLEANUP(db_result_free) PGresult *result = NULL;

	*ret_retry = false;
	if (is_prepared(db, statement))
		return 0;
	if (receive(db, PQsendPrepare(db->conn, statement->name, statement->sql, 0, NULL), &result,
		    e) < 0 ||
	    check_result(db, result, ret_retry, e) < 0)
		return -1;
	note_prepared(db, statement);
	return 0;
}

static int send_statement(struct db *db, const struct db_statement *statement,
			  const struct db_args *args)
{
	CLEANUP(db_wire_clear) struct db_wire w;

	db_wire_encode(args, &w);
	if (db->prepare)
		return PQsendQueryPrepared(db->conn, statement->name, w.count, w.values, w.lengths,
					   w.formats, 0);
	return PQsendQueryParams(db->conn, statement->sql, w.count, NULL, w.values, w.lengths,
				 w.formats, 0);
}

static int run_once(struct db *db, const struct db_statement *statement, const struct db_args *args,
		    PGresult **ret_result, bool *ret_retry, struct err *e)
{
	CLEANUP(db_result_free) PGresult *result = NULL;

	*ret_retry = false;
	if (db->prepare && prepare(db, statement, ret_retry, e) < 0)
		return -1;
	if (receive(db, send_statement(db, statement, args), &result, e) < 0)
		return -1;
	if (check_result(db, result, ret_retry, e) < 0)
		return -1;
	if (ret_result != NULL)
		*ret_result = STEAL(result);
	return 0;
}

/* Ensures a connection; within a transaction, only that on which it began. */
static int ensure_connection(struct db *db, struct err *e)
{
	if (db->transaction == TRANSACTION_DOOMED)
		return err_set(e, ERR_INTERNAL, NULL, "a part of the transaction was rolled back");
	if (db->transaction == TRANSACTION_LOST)
		return db_error_from_connection(NULL, "the transaction was lost", e);
	if (db->conn != NULL && !connection_alive(db)) {
		drop_connection(db);
		if (db->transaction == TRANSACTION_LOST)
			return db_error_from_connection(NULL, "the connection was lost", e);
	}
	return db->conn != NULL ? 0 : connect_now(db, e);
}

int db_query(struct db *db, const struct db_statement *statement, const struct db_args *args,
	     PGresult **ret_result, struct err *e)
{
	struct err failed;
	bool again = false;
	bool in_transaction = db->transaction != TRANSACTION_NONE;

	if (ensure_connection(db, e) < 0)
		return -1;
	if (run_once(db, statement, args, ret_result, &again, &failed) == 0)
		return 0;
	/* Tries once more on a new connection, unless that would split a transaction. */
	if (again && !in_transaction) {
		if (connect_now(db, e) < 0)
			return -1;
		if (run_once(db, statement, args, ret_result, &again, &failed) == 0)
			return 0;
	}
	if (e != NULL)
		*e = failed;
	return -1;
}

int db_ping(struct db *db, struct err *e)
{
	return db_query(db, &statement_ping, NULL, NULL, e);
}

/* ---- notifications --------------------------------------------------------------------------- */

int db_listen(struct db *db, const struct db_statement *statement, struct err *e)
{
	drop_connection(db);
	return db_query(db, statement, NULL, NULL, e);
}

int db_socket(const struct db *db)
{
	return db->conn != NULL ? PQsocket(db->conn) : -1;
}

int db_next_notification(struct db *db, char **ret_payload, struct err *e)
{
	PGnotify *notify;

	*ret_payload = NULL;
	if (db->conn == NULL)
		return db_error_from_connection(NULL, "not connected", e);
	notify = PQnotifies(db->conn);
	if (notify == NULL) {
		if (!connection_alive(db)) {
			db_error_from_connection(db->conn, "the connection was lost", e);
			drop_connection(db);
			return -1;
		}
		notify = PQnotifies(db->conn);
	}
	if (notify != NULL)
		*ret_payload = mem_strdup(notify->extra);
	PQfreemem(notify);
	return 0;
}

/* ---- transactions ---------------------------------------------------------------------------- */

int db_begin(struct db *db, struct db **ret_tx, struct err *e)
{
	if (db->transaction == TRANSACTION_NONE) {
		if (db_query(db, &statement_begin, NULL, NULL, e) < 0)
			return -1;
		db->transaction = TRANSACTION_OPEN;
	}
	db->depth++;
	*ret_tx = db;
	return 0;
}

/* Ends the outermost transaction on the server; if that fails, the connection is not used again. */
static void roll_back(struct db *db)
{
	db->depth = 0;
	db->transaction = TRANSACTION_NONE;
	if (db->conn != NULL && db_query(db, &statement_rollback, NULL, NULL, NULL) < 0)
		drop_connection(db);
}

int db_commit(struct db **tx, struct err *e)
{
	CLEANUP(db_result_free) PGresult *result = NULL;
	struct db *db = STEAL(*tx);

	if (db->depth > 1) {
		db->depth--;
		return 0;
	}
	if (db_query(db, &statement_commit, NULL, &result, e) < 0) {
		roll_back(db);
		return -1;
	}
	db->depth = 0;
	db->transaction = TRANSACTION_NONE;
	/* After a failed statement, COMMIT answers ROLLBACK. */
	if (strcmp(PQcmdStatus(result), "COMMIT") != 0)
		return err_set(e, ERR_INTERNAL, NULL, "a failed transaction was to be committed");
	return 0;
}

void db_rollback_guard(struct db **tx)
{
	struct db *db = STEAL(*tx);

	if (db == NULL)
		return;
	if (db->depth > 1) {
		db->depth--;
		if (db->transaction == TRANSACTION_OPEN)
			db->transaction = TRANSACTION_DOOMED;
		return;
	}
	roll_back(db);
}

static unsigned line_of(const char *text, const char *position)
{
	unsigned line = 1;
	long characters = position ? strtol(position, NULL, 10) : 0;

	if (characters <= 0)
		return 0;
	/* PostgreSQL counts characters, from 1. */
	for (; *text != '\0' && characters > 1; text++) {
		characters -= ((unsigned char)text[1] & 0xc0) != 0x80;
		line += *text == '\n';
	}
	return line;
}

int db_run_script(struct db *tx, const char *sql, unsigned *ret_line, struct err *e)
{
	CLEANUP(db_result_free) PGresult *result = NULL;
	bool unused;

	*ret_line = 0;
	if (ensure_connection(tx, e) < 0)
		return -1;
	if (receive(tx, PQsendQuery(tx->conn, sql), &result, e) < 0)
		return -1;
	if (check_result(tx, result, &unused, e) < 0) {
		*ret_line = line_of(sql, PQresultErrorField(result, PG_DIAG_STATEMENT_POSITION));
		return -1;
	}
	if (PQtransactionStatus(tx->conn) != PQTRANS_INTRANS)
		return err_set(e, ERR_INVALID, NULL, "ends the transaction it is run in");
	return 0;
}
