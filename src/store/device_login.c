#include "store/device_login.h"

#include <stdio.h>

#include "base/cleanup.h"
#include "store/internal.h"

enum statement {
	STATEMENT_SWEEP,
	STATEMENT_CREATE,
	STATEMENT_FIND,
	STATEMENT_ANSWER,
	STATEMENT_POLL,
	STATEMENT_TAKE,
};
enum poll_column { POLL_ALLOWED, POLL_REFUSED, POLL_TOO_SOON };

/* SQL is laid out by hand. */
/* clang-format off */
static const struct db_statement statements[] = {
	[STATEMENT_SWEEP] = { "device_login_sweep",
		"DELETE FROM device_logins WHERE expires_at < now()" },
	/* $7 and $8: how many there may be, of a network ($6) and in all. */
	[STATEMENT_CREATE] = { "device_login_create",
		"INSERT INTO device_logins (device_hash, user_code, name, can_write, address, network)"
		" SELECT $1, $2, $3, $4, $5, $6 WHERE $7::bigint >"
		"  (SELECT count(*) FROM device_logins WHERE network = $6 OR $6 IS NULL)"
		"  AND $8::bigint > (SELECT count(*) FROM device_logins)"
		" ON CONFLICT DO NOTHING RETURNING 1" },
	[STATEMENT_FIND] = { "device_login_find",
		"SELECT name, CASE WHEN can_write THEN 'write' ELSE 'read' END AS scope, address,"
		" iso8601(created_at) AS \"createdAt\", iso8601(expires_at) AS \"expiresAt\""
		" FROM device_logins WHERE user_code = $1 AND expires_at > now()"
		"  AND session_hash IS NULL AND NOT refused" },
	[STATEMENT_ANSWER] = { "device_login_answer",
		"UPDATE device_logins SET refused = NOT $3::boolean,"
		" session_hash = CASE WHEN $3::boolean THEN $2::bytea END"
		" WHERE user_code = $1 AND expires_at > now() AND session_hash IS NULL"
		"  AND NOT refused RETURNING 1" },
	[STATEMENT_POLL] = { "device_login_poll",
		"WITH old AS ("
		" SELECT device_hash, session_hash IS NOT NULL AS allowed, refused,"
		"  polled_at > now() - $2::integer * interval '1 second' AS too_soon"
		" FROM device_logins WHERE device_hash = $1 AND expires_at > now()"
		"), polled AS ("
		" UPDATE device_logins d SET polled_at = now() FROM old"
		" WHERE d.device_hash = old.device_hash AND old.too_soon IS NOT TRUE"
		") SELECT allowed, refused, coalesce(too_soon, false) FROM old" },
	[STATEMENT_TAKE] = { "device_login_take",
		"DELETE FROM device_logins d USING sessions s"
		" WHERE d.device_hash = $1 AND d.expires_at > now() AND NOT d.refused"
		"  AND s.id_hash = d.session_hash"
		" RETURNING s.user_id, s.identity_id, d.name, d.can_write" },
};
/* clang-format on */

int device_login_create(struct db *db, const struct device_login_new *n, struct err *e)
{
	CLEANUP(db_result_free) PGresult *made = NULL;
	char network[THROTTLE_NETWORK_SIZE];
	bool counted = throttle_network(&n->client, network);

	if (db_query(db, &statements[STATEMENT_SWEEP], NULL, NULL, e) < 0 ||
	    db_query(db, &statements[STATEMENT_CREATE],
		     DB_ARGS(DB_BYTES(n->device_hash, TOKEN_HASH_BYTES), DB_TEXT(n->user_code),
			     DB_TEXT(n->name), DB_BOOL(n->can_write), DB_TEXT(n->client.address),
			     DB_TEXT(counted ? network : NULL),
			     DB_INT(counted ? DEVICE_LOGINS_OF_NETWORK_MAX : DEVICE_LOGINS_MAX),
			     DB_INT(DEVICE_LOGINS_MAX)),
		     &made, e) < 0)
		return -1;
	if (db_rows(made) > 0)
		return 0;
	err_set(e, ERR_RATE_LIMITED, "TOO_MANY_DEVICES",
		"Too many programs wait to be allowed: answer them, or try again in 10 minutes");
	e->retry_after_s = DEVICE_LOGIN_S;
	return -1;
}

static int not_found(struct err *e)
{
	return err_set(
		e, ERR_NOT_FOUND, "DEVICE_CODE_NOT_FOUND",
		"Nothing asks with this code: it may be mistyped, answered, or older than 10 "
		"minutes");
}

int device_login_find(struct db *db, const char *user_code, json_t **ret_asking, struct err *e)
{
	CLEANUP(json_decrefp) json_t *rows = NULL;

	if (store_rows(db, &statements[STATEMENT_FIND], DB_ARGS(DB_TEXT(user_code)), &rows, e) < 0)
		return -1;
	if (json_array_size(rows) == 0)
		return not_found(e);
	*ret_asking = json_incref(json_array_get(rows, 0));
	return 0;
}

int device_login_answer(struct db *db, const char *user_code,
			const uint8_t session_hash[TOKEN_HASH_BYTES], bool allow, struct err *e)
{
	CLEANUP(db_result_free) PGresult *answered = NULL;

	if (db_query(db, &statements[STATEMENT_ANSWER],
		     DB_ARGS(DB_TEXT(user_code), DB_BYTES(session_hash, TOKEN_HASH_BYTES),
			     DB_BOOL(allow)),
		     &answered, e) < 0)
		return -1;
	return db_rows(answered) > 0 ? 0 : not_found(e);
}

static int expired(struct err *e)
{
	return err_set(e, ERR_INVALID, "EXPIRED_TOKEN",
		       "The code has expired, or its token was collected: begin again");
}

int device_login_poll(struct db *db, const uint8_t device_hash[TOKEN_HASH_BYTES], struct err *e)
{
	CLEANUP(db_result_free) PGresult *r = NULL;

	/* A second less: programs wait between an answer and their next question. */
	if (db_query(db, &statements[STATEMENT_POLL],
		     DB_ARGS(DB_BYTES(device_hash, TOKEN_HASH_BYTES), DB_INT(DEVICE_POLL_S - 1)),
		     &r, e) < 0)
		return -1;
	if (db_rows(r) == 0)
		return expired(e);
	if (db_bool(r, 0, POLL_TOO_SOON)) {
		err_set(e, ERR_RATE_LIMITED, "SLOW_DOWN", "Ask once in %d seconds", DEVICE_POLL_S);
		e->retry_after_s = DEVICE_POLL_S;
		return -1;
	}
	if (db_bool(r, 0, POLL_REFUSED))
		return err_set(e, ERR_FORBIDDEN, "ACCESS_DENIED", "It was refused");
	return db_bool(r, 0, POLL_ALLOWED) ? 0
					   : err_set(e, ERR_INVALID, "AUTHORIZATION_PENDING",
						     "Nobody has answered yet");
}

int device_login_take(struct db *db, const uint8_t device_hash[TOKEN_HASH_BYTES],
		      struct device_login *ret_login, struct err *e)
{
	CLEANUP(db_result_free) PGresult *r = NULL;

	if (db_query(db, &statements[STATEMENT_TAKE],
		     DB_ARGS(DB_BYTES(device_hash, TOKEN_HASH_BYTES)), &r, e) < 0)
		return -1;
	if (db_rows(r) == 0)
		return expired(e);
	(void)snprintf(ret_login->user_id, sizeof(ret_login->user_id), "%s", db_text(r, 0, 0));
	(void)snprintf(ret_login->identity_id, sizeof(ret_login->identity_id), "%s",
		       db_text(r, 0, 1));
	(void)snprintf(ret_login->name, sizeof(ret_login->name), "%s", db_text(r, 0, 2));
	ret_login->can_write = db_bool(r, 0, 3);
	return 0;
}
