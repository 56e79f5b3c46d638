#include "store/access.h"

#include "base/cleanup.h"
#include "store/internal.h"
#include "store/session.h"

enum statement { STATEMENT_END_ALL, STATEMENT_RENEW };

/* SQL is laid out by hand. */
/* clang-format off */
static const struct db_statement statements[] = {
	[STATEMENT_END_ALL] = { "access_end_all",
		"WITH ended AS (DELETE FROM sessions WHERE user_id = $1"
		"  AND id_hash IS DISTINCT FROM $2 RETURNING true),"
		" tokens AS (DELETE FROM api_tokens WHERE user_id = $1 RETURNING true),"
		" links AS (DELETE FROM invitations WHERE user_id = $1),"
		/* What a kept session has allowed, too. */
		" asking AS (DELETE FROM device_logins d USING sessions s"
		"  WHERE s.id_hash = d.session_hash AND s.user_id = $1)"
		" SELECT (SELECT count(*) FROM ended), (SELECT count(*) FROM tokens)" },
	[STATEMENT_RENEW] = { "access_renew", "SELECT renew_terminals($1)" },
};
/* clang-format on */

int access_renew_terminals(struct db *tx, const char *user_id, int64_t *ret_terminals,
			   struct err *e)
{
	CLEANUP(db_result_free) PGresult *r = NULL;

	if (db_query(tx, &statements[STATEMENT_RENEW], DB_ARGS(DB_TEXT(user_id)), &r, e) < 0)
		return -1;
	*ret_terminals = db_int(r, 0, 0);
	return 0;
}

int access_end_all(struct db *tx, const char *user_id, const uint8_t *kept_hash,
		   struct access_ended *ret_ended, struct err *e)
{
	CLEANUP(db_result_free) PGresult *r = NULL;

	if (db_query(tx, &statements[STATEMENT_END_ALL],
		     DB_ARGS(DB_TEXT(user_id), DB_BYTES(kept_hash, TOKEN_HASH_BYTES)), &r, e) < 0)
		return -1;
	ret_ended->sessions = db_int(r, 0, 0);
	ret_ended->tokens = db_int(r, 0, 1);
	return access_renew_terminals(tx, user_id, &ret_ended->terminals, e);
}

json_t *access_ended_json(const struct access_ended *ended)
{
	return json_pack("{s:b, s:I, s:I, s:I}", "success", 1, "count", (json_int_t)ended->sessions,
			 "tokens", (json_int_t)ended->tokens, "terminals",
			 (json_int_t)ended->terminals);
}
