#include <stdio.h>
#include <string.h>

#include "db/internal.h"

/* How long clients should wait before they try again: about as long as PostgreSQL takes to
 * restart. */
enum { RETRY_AFTER_S = 2 };

#define POOLER_HINT "behind pgbouncer in transaction mode set database_prepare = no"

static const struct db_sqlstate sqlstates[] = {
	/* Violations of constraints. */
	{ "23505", ERR_CONFLICT, DB_CONNECTION_KEPT, NULL }, /* unique_violation */
	{ "23503", ERR_INVALID, DB_CONNECTION_KEPT, NULL },  /* foreign_key_violation */
	{ "23514", ERR_INVALID, DB_CONNECTION_KEPT, NULL },  /* check_violation */
	{ "22007", ERR_INVALID, DB_CONNECTION_KEPT, NULL },  /* invalid_datetime_format */
	{ "22008", ERR_INVALID, DB_CONNECTION_KEPT, NULL },  /* datetime_field_overflow */
	/* Temporary: serialization failure and deadlock; lock_not_available; query_canceled (a
	 * timeout on the server); out of connections, memory or disk. */
	{ "40", ERR_UNAVAILABLE, DB_CONNECTION_KEPT, NULL },
	{ "55P03", ERR_UNAVAILABLE, DB_CONNECTION_KEPT, NULL },
	{ "57014", ERR_UNAVAILABLE, DB_CONNECTION_KEPT, NULL },
	{ "53", ERR_UNAVAILABLE, DB_CONNECTION_KEPT, NULL },
	/* The server or pgbouncer ends the connection. */
	{ "08", ERR_UNAVAILABLE, DB_CONNECTION_USELESS, NULL },
	{ "57P", ERR_UNAVAILABLE, DB_CONNECTION_USELESS, NULL },
	{ "25P03", ERR_UNAVAILABLE, DB_CONNECTION_USELESS, NULL },
	/* Read-only: after a failover, this is a standby. */
	{ "25006", ERR_UNAVAILABLE, DB_CONNECTION_RETRY, NULL },
	/* A prepared statement that was invalidated by a migration, or by somebody's DISCARD
	 * ALL. */
	{ "0A000", ERR_UNAVAILABLE, DB_CONNECTION_RETRY, NULL },
	{ "26000", ERR_UNAVAILABLE, DB_CONNECTION_RETRY, POOLER_HINT },
	{ "42P05", ERR_UNAVAILABLE, DB_CONNECTION_RETRY, POOLER_HINT },
	/* Anything else is our fault. */
	{ "", ERR_INTERNAL, DB_CONNECTION_KEPT, NULL },
};

const struct db_sqlstate *db_sqlstate_find(const char *sqlstate)
{
	const struct db_sqlstate *row = sqlstates;

	while (strncmp(row->prefix, sqlstate, strlen(row->prefix)) != 0)
		row++;
	return row;
}

int db_error_from_result(const PGresult *result, struct err *e)
{
	const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	const char *constraint = PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME);
	const struct db_sqlstate *row = db_sqlstate_find(sqlstate ? sqlstate : "");

	/* The primary message about a constraint contains no values, unlike the detail. */
	err_set(e, row->kind, constraint, "PostgreSQL: %s (%s)%s%s",
		message ? message : PQresStatus(PQresultStatus(result)),
		sqlstate ? sqlstate : "no SQLSTATE", row->hint ? "; " : "",
		row->hint ? row->hint : "");
	if (e != NULL && row->kind == ERR_UNAVAILABLE)
		e->retry_after_s = RETRY_AFTER_S;
	return -1;
}

int db_error_from_connection(const PGconn *conn, const char *what, struct err *e)
{
	char message[sizeof(e->message)];
	const char *said = conn ? PQerrorMessage(conn) : "";

	(void)snprintf(message, sizeof(message), "%s", said);
	message[strcspn(message, "\n")] = '\0';
	err_set(e, ERR_UNAVAILABLE, NULL, "PostgreSQL: %s%s%s", what, message[0] ? ": " : "",
		message);
	if (e != NULL)
		e->retry_after_s = RETRY_AFTER_S;
	return -1;
}
