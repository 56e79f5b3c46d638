#include "store/invitation.h"

#include "base/cleanup.h"
#include "base/mem.h"
#include "store/internal.h"

enum statement {
	STATEMENT_PUT,
	STATEMENT_WITHDRAW,
	STATEMENT_FIND,
	STATEMENT_TAKE,
};

/* SQL is laid out by hand. */
/* clang-format off */
static const struct db_statement statements[] = {
	[STATEMENT_PUT] = { "invitation_put",
		"INSERT INTO invitations (user_id, token_hash, expires_at)"
		" VALUES ($1, $2, now() + $3::bigint * interval '1 day')"
		" ON CONFLICT (user_id) DO UPDATE SET token_hash = excluded.token_hash,"
		"  created_at = now(), expires_at = excluded.expires_at"
		" RETURNING iso8601(expires_at)" },
	[STATEMENT_WITHDRAW] = { "invitation_withdraw",
		"DELETE FROM invitations WHERE user_id = $1 RETURNING true" },
	[STATEMENT_FIND] = { "invitation_find",
		"SELECT v.user_id FROM invitations v JOIN users u ON u.id = v.user_id"
		" WHERE v.token_hash = $1 AND v.expires_at > now() AND u.disabled_at IS NULL" },
	[STATEMENT_TAKE] = { "invitation_take",
		"DELETE FROM invitations WHERE token_hash = $1 AND expires_at > now()"
		" RETURNING true" },
};
/* clang-format on */

int invitation_put(struct db *db, const char *user_id, const uint8_t token_hash[TOKEN_HASH_BYTES],
		   unsigned days, char **ret_expires_at, struct err *e)
{
	CLEANUP(db_result_free) PGresult *r = NULL;

	if (db_query(
		    db, &statements[STATEMENT_PUT],
		    DB_ARGS(DB_TEXT(user_id), DB_BYTES(token_hash, TOKEN_HASH_BYTES), DB_INT(days)),
		    &r, e) < 0)
		return -1;
	*ret_expires_at = mem_strdup(db_text(r, 0, 0));
	return 0;
}

int invitation_withdraw(struct db *db, const char *user_id, bool *ret_was_there, struct err *e)
{
	CLEANUP(db_result_free) PGresult *r = NULL;

	if (db_query(db, &statements[STATEMENT_WITHDRAW], DB_ARGS(DB_TEXT(user_id)), &r, e) < 0)
		return -1;
	*ret_was_there = db_rows(r) > 0;
	return 0;
}

static int invalid(struct err *e)
{
	return err_set(e, ERR_FORBIDDEN, "INVITATION_INVALID",
		       "This link is not valid, or not any more: it works once, and for some days. "
		       "Ask the site's administrator for another one");
}

static int query(struct db *db, enum statement statement,
		 const uint8_t token_hash[TOKEN_HASH_BYTES], PGresult **ret_result, struct err *e)
{
	if (db_query(db, &statements[statement], DB_ARGS(DB_BYTES(token_hash, TOKEN_HASH_BYTES)),
		     ret_result, e) < 0)
		return -1;
	return db_rows(*ret_result) > 0 ? 0 : invalid(e);
}

int invitation_find(struct db *db, const uint8_t token_hash[TOKEN_HASH_BYTES],
		    struct password_identity *ret_identity, struct err *e)
{
	CLEANUP(db_result_free) PGresult *r = NULL;

	if (query(db, STATEMENT_FIND, token_hash, &r, e) < 0 ||
	    user_get_password(db, db_text(r, 0, 0), ret_identity, e) < 0)
		return -1;
	return ret_identity->found ? 0 : invalid(e); /* it was unbound */
}

int invitation_take(struct db *tx, const uint8_t token_hash[TOKEN_HASH_BYTES], struct err *e)
{
	CLEANUP(db_result_free) PGresult *r = NULL;

	return query(tx, STATEMENT_TAKE, token_hash, &r, e);
}
