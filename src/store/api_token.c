#include "store/api_token.h"

#include <stdio.h>

#include "base/cleanup.h"
#include "store/internal.h"

enum statement {
	STATEMENT_CREATE,
	STATEMENT_LIST,
	STATEMENT_DELETE,
	STATEMENT_FIND,
	STATEMENT_TOUCH,
};

/* The names of columns are members of what is shown. */
#define SHOWN                                                                                      \
	"id, name, CASE WHEN can_write THEN 'write' ELSE 'read' END AS scope,"                     \
	" iso8601(created_at) AS \"createdAt\", iso8601(expires_at) AS \"expiresAt\","             \
	" expires_at <= now() AS expired, iso8601(last_used_at) AS \"lastUsedAt\""

/* SQL is laid out by hand. */
/* clang-format off */
static const struct db_statement statements[] = {
	[STATEMENT_CREATE] = { "api_token_create",
		"WITH old AS (DELETE FROM api_tokens WHERE user_id = $1"
		"  AND expires_at < now() - interval '30 days')"
		" INSERT INTO api_tokens"
		"  (user_id, identity_id, name, token_hash, can_write, expires_at)"
		" SELECT $1, $2, $3, $4, $5, now() + $6::bigint * interval '1 day'"
		" WHERE (SELECT count(*) FROM api_tokens WHERE user_id = $1) < $7::bigint"
		" RETURNING " SHOWN },
	[STATEMENT_LIST] = { "api_token_list",
		"SELECT " SHOWN " FROM api_tokens WHERE user_id = $1"
		" ORDER BY api_tokens.created_at DESC, id" },
	[STATEMENT_DELETE] = { "api_token_delete",
		"DELETE FROM api_tokens WHERE user_id = $1 AND id = $2"
		" RETURNING can_write AND last_used_at IS NOT NULL" },
	[STATEMENT_FIND] = { "api_token_find",
		"SELECT t.user_id, t.identity_id, u.name, iso8601(t.expires_at), t.id,"
		" t.can_write,"
		" t.last_used_at IS NULL OR t.last_used_at < now() - interval '1 minute'"
		" FROM api_tokens t JOIN users u ON u.id = t.user_id"
		" WHERE t.token_hash = $1 AND t.expires_at > now()"
		"  AND u.disabled_at IS NULL" },
	[STATEMENT_TOUCH] = { "api_token_touch",
		"UPDATE api_tokens SET last_used_at = now() WHERE token_hash = $1" },
};
/* clang-format on */

int api_token_create(struct db *db, const struct api_token_new *t, json_t **ret_token,
		     struct err *e)
{
	CLEANUP(json_decrefp) json_t *rows = NULL;

	if (store_rows(db, &statements[STATEMENT_CREATE],
		       DB_ARGS(DB_TEXT(t->user_id), DB_TEXT(t->identity_id), DB_TEXT(t->name),
			       DB_BYTES(t->token_hash, TOKEN_HASH_BYTES), DB_BOOL(t->can_write),
			       DB_INT(t->days), DB_INT(API_TOKENS_MAX)),
		       &rows, e) < 0)
		return -1;
	if (json_array_size(rows) == 0)
		return err_set(e, ERR_CONFLICT, "TOO_MANY_TOKENS",
			       "you have %d tokens already: delete one that is not needed",
			       API_TOKENS_MAX);
	*ret_token = json_incref(json_array_get(rows, 0));
	return 0;
}

int api_token_list(struct db *db, const char *user_id, json_t **ret_tokens, struct err *e)
{
	return store_rows(db, &statements[STATEMENT_LIST], DB_ARGS(DB_TEXT(user_id)), ret_tokens,
			  e);
}

int api_token_delete(struct db *db, const char *user_id, const char *token_id,
		     bool *ret_saw_secrets, struct err *e)
{
	CLEANUP(db_result_free) PGresult *r = NULL;

	if (db_query(db, &statements[STATEMENT_DELETE],
		     DB_ARGS(DB_TEXT(user_id), DB_TEXT(token_id)), &r, e) < 0)
		return -1;
	if (db_rows(r) == 0)
		return err_set(e, ERR_NOT_FOUND, "TOKEN_NOT_FOUND", "Token not found");
	*ret_saw_secrets = db_bool(r, 0, 0);
	return 0;
}

int api_token_find(struct db *db, const uint8_t token_hash[TOKEN_HASH_BYTES],
		   struct session *ret_session, struct err *e)
{
	CLEANUP(db_result_free) PGresult *r = NULL;
	struct session s = { 0 };
	const struct db_args *args = DB_ARGS(DB_BYTES(token_hash, TOKEN_HASH_BYTES));

	if (db_query(db, &statements[STATEMENT_FIND], args, &r, e) < 0)
		return -1;
	if (db_rows(r) == 0)
		return err_set(e, ERR_UNAUTHENTICATED, NULL,
			       "Unauthorized: this token is not valid, or not any more");
	if (db_bool(r, 0, 6) && db_query(db, &statements[STATEMENT_TOUCH], args, NULL, e) < 0)
		return -1;
	(void)snprintf(s.user_id, sizeof(s.user_id), "%s", db_text(r, 0, 0));
	(void)snprintf(s.identity_id, sizeof(s.identity_id), "%s", db_text(r, 0, 1));
	(void)snprintf(s.user_name, sizeof(s.user_name), "%s", db_text(r, 0, 2));
	(void)snprintf(s.expires_at, sizeof(s.expires_at), "%s", db_text(r, 0, 3));
	(void)snprintf(s.api_token_id, sizeof(s.api_token_id), "%s", db_text(r, 0, 4));
	s.read_only = !db_bool(r, 0, 5);
	*ret_session = s;
	return 0;
}
