#include "store/pending_login.h"

#include <stdio.h>

#include "base/cleanup.h"

enum statement {
	STATEMENT_SWEEP,
	STATEMENT_CREATE,
	STATEMENT_FIND,
	STATEMENT_TAKE,
};

/* SQL is laid out by hand. */
/* clang-format off */
static const struct db_statement statements[] = {
	[STATEMENT_SWEEP] = { "pending_login_sweep",
		"DELETE FROM pending_logins WHERE expires_at < now() - interval '1 hour'" },
	[STATEMENT_CREATE] = { "pending_login_create",
		"INSERT INTO pending_logins (state_hash, verifier_hash, provider, user_id,"
		"  return_to, expires_at)"
		" VALUES ($1, $2, $3::auth_provider, $4, $5,"
		"  now() + $6::integer * interval '1 second')" },
	[STATEMENT_FIND] = { "pending_login_find",
		"SELECT user_id IS NOT NULL, expires_at <= now()"
		" FROM pending_logins WHERE state_hash = $1 AND provider = $2::auth_provider" },
	[STATEMENT_TAKE] = { "pending_login_take",
		"DELETE FROM pending_logins"
		" WHERE state_hash = $1 AND provider = $2::auth_provider AND verifier_hash = $3"
		"  AND user_id IS NOT DISTINCT FROM $4::uuid AND expires_at > now()"
		" RETURNING coalesce(user_id::text, ''), coalesce(return_to, '')" },
};
/* clang-format on */

int pending_login_create(struct db *db, const struct pending_login_new *n, struct err *e)
{
	if (db_query(db, &statements[STATEMENT_SWEEP], NULL, NULL, e) < 0)
		return -1;
	return db_query(db, &statements[STATEMENT_CREATE],
			DB_ARGS(DB_BYTES(n->state_hash, TOKEN_HASH_BYTES),
				DB_BYTES(n->verifier_hash, TOKEN_HASH_BYTES), DB_TEXT(n->provider),
				DB_TEXT(n->user_id), DB_TEXT(n->return_to),
				DB_INT(PENDING_LOGIN_S)),
			NULL, e);
}

int pending_login_is_binding(struct db *db, const char *provider,
			     const uint8_t state_hash[TOKEN_HASH_BYTES], bool *ret_binding,
			     struct err *e)
{
	CLEANUP(db_result_free) PGresult *r = NULL;

	if (db_query(db, &statements[STATEMENT_FIND],
		     DB_ARGS(DB_BYTES(state_hash, TOKEN_HASH_BYTES), DB_TEXT(provider)), &r, e) < 0)
		return -1;
	if (db_rows(r) == 0)
		return err_set(e, ERR_INVALID, "LOGIN_STATE",
			       "This login was not begun here, or has already been used: begin "
			       "again");
	if (db_bool(r, 0, 1))
		return err_set(e, ERR_INVALID, "LOGIN_EXPIRED",
			       "This login took longer than %d minutes: begin again",
			       PENDING_LOGIN_S / 60);
	*ret_binding = db_bool(r, 0, 0);
	return 0;
}

int pending_login_take(struct db *db, const char *provider, const char *user_id,
		       const uint8_t state_hash[TOKEN_HASH_BYTES],
		       const uint8_t verifier_hash[TOKEN_HASH_BYTES],
		       struct pending_login *ret_login, struct err *e)
{
	CLEANUP(db_result_free) PGresult *r = NULL;
	bool binding;

	if (db_query(db, &statements[STATEMENT_TAKE],
		     DB_ARGS(DB_BYTES(state_hash, TOKEN_HASH_BYTES), DB_TEXT(provider),
			     DB_BYTES(verifier_hash, TOKEN_HASH_BYTES), DB_TEXT(user_id)),
		     &r, e) < 0)
		return -1;
	if (db_rows(r) == 0) {
		if (pending_login_is_binding(db, provider, state_hash, &binding, e) < 0)
			return -1;
		return err_set(e, ERR_FORBIDDEN, "LOGIN_BROWSER",
			       "This login was begun in another browser or by somebody else: "
			       "begin again in this one");
	}
	(void)snprintf(ret_login->user_id, sizeof(ret_login->user_id), "%s", db_text(r, 0, 0));
	(void)snprintf(ret_login->return_to, sizeof(ret_login->return_to), "%s", db_text(r, 0, 1));
	return 0;
}
