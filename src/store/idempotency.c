#include "store/idempotency.h"

#include "base/cleanup.h"
#include "store/internal.h"

enum { FINGERPRINT_BYTES = 32 };

enum statement {
	STATEMENT_TAKE,
	STATEMENT_FIND,
	STATEMENT_FINISH,
};

/* SQL is laid out by hand. */
/* clang-format off */
static const struct db_statement statements[] = {
	/* Waits for a transaction that has inserted the same key and is still open. A row without a
	 * response was committed by a request that did not finish, and is ignored. */
	[STATEMENT_TAKE] = { "idempotency_take",
		"INSERT INTO idempotency AS i (user_id, key, fingerprint)"
		" VALUES ($1, $2, $3)"
		" ON CONFLICT (user_id, key) DO UPDATE"
		" SET fingerprint = excluded.fingerprint, http_status = NULL,"
		"  body = NULL, body_sealed = NULL, created_at = now()"
		" WHERE i.http_status IS NULL"
		"  OR i.created_at < now() - $4::bigint * interval '1 millisecond'"
		" RETURNING true" },
	[STATEMENT_FIND] = { "idempotency_find",
		"SELECT fingerprint = $3, http_status, body_sealed"
		" FROM idempotency"
		" WHERE user_id = $1 AND key = $2" },
	[STATEMENT_FINISH] = { "idempotency_finish",
		"UPDATE idempotency"
		" SET http_status = $3, body_sealed = $4"
		" WHERE user_id = $1 AND key = $2" },
};
/* clang-format on */

int idempotency_begin(struct db *tx, const char *user_id, const char *key,
		      const uint8_t fingerprint[32], uint64_t ttl_ms,
		      struct idempotent_answer *ret_answer, struct err *e)
{
	CLEANUP(db_result_free) PGresult *taken = NULL;
	CLEANUP(db_result_free) PGresult *found = NULL;
	const struct db_arg user = DB_TEXT(user_id);
	const struct db_arg name = DB_TEXT(key);
	const struct db_arg print = DB_BYTES(fingerprint, FINGERPRINT_BYTES);

	if (db_query(tx, &statements[STATEMENT_TAKE], DB_ARGS(user, name, print, DB_INT(ttl_ms)),
		     &taken, e) < 0)
		return -1;
	*ret_answer = (struct idempotent_answer) { 0 };
	if (db_rows(taken) > 0)
		return 0;
	if (db_query(tx, &statements[STATEMENT_FIND], DB_ARGS(user, name, print), &found, e) < 0)
		return -1;
	if (db_rows(found) == 0) /* it has just expired and been removed */
		return err_set(e, ERR_UNAVAILABLE, NULL, "Try again");
	if (!db_bool(found, 0, 0))
		return err_set(e, ERR_UNPROCESSABLE, "IDEMPOTENCY_KEY_REUSED",
			       "This Idempotency-Key was used for a different request: make a new "
			       "one for each request");
	size_t length;
	CLEANUP(cleanup_free) uint8_t *sealed = db_bytes(found, 0, 2, &length);
	if (sealed == NULL) /* kept by an older version */
		return idempotency_answer_lost(e);
	ret_answer->replayed = true;
	ret_answer->http_status = (int)db_int(found, 0, 1);
	ret_answer->sealed = BUF_INIT(length);
	return buf_append(&ret_answer->sealed, sealed, length, e);
}

int idempotency_answer_lost(struct err *e)
{
	return err_set(
		e, ERR_CONFLICT, "IDEMPOTENCY_ANSWER_LOST",
		"This request was carried out before; its answer cannot be shown again. Read "
		"what it changed");
}

int idempotency_finish(struct db *tx, const char *user_id, const char *key, int http_status,
		       const struct buf *sealed, struct err *e)
{
	return db_query(tx, &statements[STATEMENT_FINISH],
			DB_ARGS(DB_TEXT(user_id), DB_TEXT(key), DB_INT(http_status),
				DB_BYTES(sealed->data, sealed->length)),
			NULL, e);
}
