#include "store/user.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "store/internal.h"

enum statement {
	STATEMENT_REGISTER,
	STATEMENT_FIND_PASSWORD,
	STATEMENT_GET_PASSWORD,
	STATEMENT_REPLACE_PASSWORD,
};

#define SELECT_PASSWORD                                                                            \
	"SELECT u.id, i.id, i.password_hash, u.disabled_at IS NOT NULL, i.provider_user_id"        \
	" FROM identities i JOIN users u ON u.id = i.user_id WHERE i.provider = 'PASSWORD' AND "

/* SQL is laid out by hand. */
/* clang-format off */
static const struct db_statement statements[] = {
	[STATEMENT_REGISTER] = { "user_register",
		"WITH u AS (INSERT INTO users (name) VALUES ($1) RETURNING id)"
		" INSERT INTO identities (user_id, provider, provider_user_id,"
		"  password_hash, is_primary)"
		" SELECT id, 'PASSWORD', lower($1), $2, true FROM u"
		" RETURNING user_id, id" },
	[STATEMENT_FIND_PASSWORD] = { "user_find_password",
		SELECT_PASSWORD "i.provider_user_id = lower($1)" },
	[STATEMENT_GET_PASSWORD] = { "user_get_password",
		SELECT_PASSWORD "i.user_id = $1" },
	[STATEMENT_REPLACE_PASSWORD] = { "user_replace_password",
		"UPDATE identities SET password_hash = $3, updated_at = now()"
		" WHERE id = $1 AND provider = 'PASSWORD' AND password_hash = $2"
		" RETURNING true" },
};
/* clang-format on */

int user_register(struct db *db, const char *name, const char *password_hash,
		  char ret_user_id[STORE_ID_LENGTH + 1], char ret_identity_id[STORE_ID_LENGTH + 1],
		  struct err *e)
{
	CLEANUP(db_result_free) PGresult *r = NULL;
	struct err failed;

	if (db_query(db, &statements[STATEMENT_REGISTER],
		     DB_ARGS(DB_TEXT(name), DB_TEXT(password_hash)), &r, &failed) < 0) {
		if (failed.kind == ERR_CONFLICT)
			return err_set(e, ERR_CONFLICT, "USER_EXISTS",
				       "This user name is taken: choose another one");
		if (e != NULL)
			*e = failed;
		return -1;
	}
	(void)snprintf(ret_user_id, STORE_ID_LENGTH + 1, "%s", db_text(r, 0, 0));
	(void)snprintf(ret_identity_id, STORE_ID_LENGTH + 1, "%s", db_text(r, 0, 1));
	return 0;
}

static int find_password(struct db *db, enum statement statement, const char *value,
			 struct password_identity *ret_identity, struct err *e)
{
	CLEANUP(db_result_free) PGresult *r = NULL;
	struct password_identity found = { 0 };

	if (db_query(db, &statements[statement], DB_ARGS(DB_TEXT(value)), &r, e) < 0)
		return -1;
	if (db_rows(r) > 0) {
		const char *hash = db_text(r, 0, 2);
		if (strlen(hash) >= sizeof(found.hash))
			return err_set(e, ERR_INTERNAL, NULL, "a stored password hash is too long");
		found.found = true;
		found.disabled = db_bool(r, 0, 3);
		(void)snprintf(found.user_id, sizeof(found.user_id), "%s", db_text(r, 0, 0));
		(void)snprintf(found.identity_id, sizeof(found.identity_id), "%s",
			       db_text(r, 0, 1));
		(void)snprintf(found.hash, sizeof(found.hash), "%s", hash);
		(void)snprintf(found.name, sizeof(found.name), "%s", db_text(r, 0, 4));
	}
	*ret_identity = found;
	return 0;
}

int user_find_password(struct db *db, const char *name, struct password_identity *ret_identity,
		       struct err *e)
{
	return find_password(db, STATEMENT_FIND_PASSWORD, name, ret_identity, e);
}

int user_get_password(struct db *db, const char *user_id, struct password_identity *ret_identity,
		      struct err *e)
{
	return find_password(db, STATEMENT_GET_PASSWORD, user_id, ret_identity, e);
}

int user_replace_password_hash(struct db *db, const char *identity_id, const char *old_hash,
			       const char *hash, bool *ret_replaced, struct err *e)
{
	CLEANUP(db_result_free) PGresult *r = NULL;

	if (db_query(db, &statements[STATEMENT_REPLACE_PASSWORD],
		     DB_ARGS(DB_TEXT(identity_id), DB_TEXT(old_hash), DB_TEXT(hash)), &r, e) < 0)
		return -1;
	if (ret_replaced != NULL)
		*ret_replaced = db_rows(r) > 0;
	return 0;
}
