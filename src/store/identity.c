#include "store/identity.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "store/access.h"
#include "store/internal.h"
#include "store/maintenance.h"

enum statement {
	STATEMENT_LOCK,
	STATEMENT_FIND,
	STATEMENT_RENEW,
	STATEMENT_REGISTER,
	STATEMENT_BIND,
	STATEMENT_LIST,
	STATEMENT_LOCK_USER,
	STATEMENT_UNBIND,
	STATEMENT_HEIR,
	STATEMENT_NO_PRIMARY,
	STATEMENT_MAKE_PRIMARY,
	STATEMENT_CLOCK,
};

/* SQL is laid out by hand. */
/* clang-format off */
static const struct db_statement statements[] = {
	/* Of two concurrent first logins, only one may make the user, and both must succeed. */
	[STATEMENT_LOCK] = { "identity_lock",
		"SELECT pg_advisory_xact_lock(hashtextextended($1::text || ':' || $2, 0))" },
	[STATEMENT_FIND] = { "identity_find",
		"SELECT i.user_id, i.id, u.disabled_at IS NOT NULL"
		" FROM identities i JOIN users u ON u.id = i.user_id"
		" WHERE i.provider = $1::auth_provider AND i.provider_user_id = $2" },
	[STATEMENT_RENEW] = { "identity_renew",
		"UPDATE identities SET metadata = $2::jsonb,"
		" token_sealed = coalesce($3, token_sealed), updated_at = now()"
		" WHERE id = $1" },
	[STATEMENT_REGISTER] = { "identity_register",
		"WITH u AS (INSERT INTO users (name) VALUES (left($5, 64)) RETURNING id)"
		" INSERT INTO identities (user_id, provider, provider_user_id,"
		"  metadata, token_sealed, is_primary)"
		" SELECT id, $1::auth_provider, $2, $3::jsonb, $4, true FROM u"
		" RETURNING user_id, id" },
	[STATEMENT_BIND] = { "identity_bind",
		"INSERT INTO identities (user_id, provider, provider_user_id,"
		"  metadata, token_sealed)"
		" VALUES ($5, $1::auth_provider, $2, $3::jsonb, $4)"
		" RETURNING user_id, id" },
	[STATEMENT_LIST] = { "identity_list",
		"SELECT id, provider, provider_user_id, coalesce(metadata->>'name',"
		"  CASE WHEN provider IN ('PASSWORD', 'SEALOS') THEN provider_user_id END),"
		" is_primary, iso8601(created_at), iso8601(updated_at)"
		" FROM identities WHERE user_id = $1 ORDER BY provider, created_at, id" },
	/* Of two concurrent unbinds, each could otherwise keep the other's identity as the last
	 * one. */
	[STATEMENT_LOCK_USER] = { "identity_lock_user",
		"SELECT pg_advisory_xact_lock(hashtextextended('user:' || $1::text, 0))" },
	[STATEMENT_UNBIND] = { "identity_unbind",
		"WITH access AS (SELECT EXISTS (SELECT FROM sessions WHERE identity_id = $2)"
		"  OR EXISTS (SELECT FROM api_tokens WHERE identity_id = $2) AS ended)"
		" DELETE FROM identities USING access WHERE user_id = $1 AND id = $2"
		" RETURNING access.ended" },
	[STATEMENT_HEIR] = { "identity_heir",
		"UPDATE identities SET is_primary = true WHERE id = ("
		"  SELECT id FROM identities WHERE user_id = $1"
		"  ORDER BY is_primary DESC, created_at, id LIMIT 1) RETURNING id" },
	[STATEMENT_NO_PRIMARY] = { "identity_no_primary",
		"UPDATE identities SET is_primary = false WHERE user_id = $1 AND is_primary" },
	[STATEMENT_MAKE_PRIMARY] = { "identity_make_primary",
		"UPDATE identities SET is_primary = true WHERE user_id = $1 AND id = $2"
		" RETURNING id" },
	[STATEMENT_CLOCK] = { "identity_clock",
		"SELECT extract(epoch FROM now())::bigint" },
};
/* clang-format on */

struct found {
	bool found, disabled;
	struct identity_owner owner;
};

static void read_owner(const PGresult *r, struct identity_owner *ret_owner)
{
	(void)snprintf(ret_owner->user_id, sizeof(ret_owner->user_id), "%s", db_text(r, 0, 0));
	(void)snprintf(ret_owner->identity_id, sizeof(ret_owner->identity_id), "%s",
		       db_text(r, 0, 1));
}

/* Finds its user; no other transaction can bind or unbind it until this one ends. */
static int find(struct db *tx, const struct identity_claim *claim, struct found *ret_found,
		struct err *e)
{
	CLEANUP(db_result_free) PGresult *r = NULL;
	struct found found = { 0 };
	const struct db_args *args =
		DB_ARGS(DB_TEXT(claim->provider), DB_TEXT(claim->provider_user_id));

	if (db_query(tx, &statements[STATEMENT_LOCK], args, NULL, e) < 0 ||
	    db_query(tx, &statements[STATEMENT_FIND], args, &r, e) < 0)
		return -1;
	if (db_rows(r) > 0) {
		found.found = true;
		found.disabled = db_bool(r, 0, 2);
		read_owner(r, &found.owner);
	}
	*ret_found = found;
	return 0;
}

static int renew(struct db *tx, const struct identity_claim *claim, const char *identity_id,
		 struct err *e)
{
	return db_query(tx, &statements[STATEMENT_RENEW],
			DB_ARGS(DB_TEXT(identity_id), DB_JSON(claim->metadata),
				DB_BYTES(claim->token, claim->token_length)),
			NULL, e);
}

/* Uses STATEMENT_REGISTER with a name, or STATEMENT_BIND with a user's id. */
static int create(struct db *tx, enum statement statement, const struct identity_claim *claim,
		  const char *name_or_user_id, struct identity_owner *ret_owner, struct err *e)
{
	CLEANUP(db_result_free) PGresult *r = NULL;

	if (db_query(tx, &statements[statement],
		     DB_ARGS(DB_TEXT(claim->provider), DB_TEXT(claim->provider_user_id),
			     DB_JSON(claim->metadata), DB_BYTES(claim->token, claim->token_length),
			     DB_TEXT(name_or_user_id)),
		     &r, e) < 0)
		return -1;
	read_owner(r, ret_owner);
	return 0;
}

int identity_login(struct db *tx, const struct identity_claim *claim, bool may_register,
		   struct identity_owner *ret_owner, struct err *e)
{
	struct found found;

	if (find(tx, claim, &found, e) < 0)
		return -1;
	if (found.disabled)
		return err_set(e, ERR_UNAUTHENTICATED, "USER_DISABLED",
			       "This account is disabled; ask the site's administrator");
	if (!found.found && !may_register)
		return err_set(e, ERR_FORBIDDEN, "REGISTRATION_CLOSED",
			       "Nobody here has this account, and this site does not take "
			       "registrations; ask its administrator");
	if (!found.found)
		return maintenance_begin_change(tx, e) < 0
			       ? -1
			       : create(tx, STATEMENT_REGISTER, claim, claim->name, ret_owner, e);
	if (renew(tx, claim, found.owner.identity_id, e) < 0)
		return -1;
	*ret_owner = found.owner;
	return 0;
}

int identity_bind(struct db *tx, const char *user_id, const struct identity_claim *claim,
		  char ret_identity_id[STORE_ID_LENGTH + 1], struct err *e)
{
	struct found found;

	if (find(tx, claim, &found, e) < 0)
		return -1;
	if (found.found && strcmp(found.owner.user_id, user_id) != 0)
		return err_set(e, ERR_CONFLICT, "IDENTITY_TAKEN",
			       "This account is bound to another user of this site: log in with "
			       "it and unbind it there first");
	if (!found.found && create(tx, STATEMENT_BIND, claim, user_id, &found.owner, e) < 0)
		return -1;
	if (found.found && renew(tx, claim, found.owner.identity_id, e) < 0)
		return -1;
	memcpy(ret_identity_id, found.owner.identity_id, STORE_ID_LENGTH + 1);
	return 0;
}

int identity_list(struct db *db, const char *user_id, struct identity_rows *ret_rows, struct err *e)
{
	struct identity_rows rows = { 0 };

	if (db_query(db, &statements[STATEMENT_LIST], DB_ARGS(DB_TEXT(user_id)), &rows.result, e) <
	    0)
		return -1;
	rows.count = (size_t)db_rows(rows.result);
	rows.items = mem_calloc(rows.count, sizeof(*rows.items));
	for (int i = 0; i < (int)rows.count; i++)
		rows.items[i] = (struct identity) {
			.id = db_text(rows.result, i, 0),
			.provider = db_text(rows.result, i, 1),
			.provider_user_id = db_text(rows.result, i, 2),
			.name = db_text(rows.result, i, 3),
			.is_primary = db_bool(rows.result, i, 4),
			.created_at = db_text(rows.result, i, 5),
			.updated_at = db_text(rows.result, i, 6),
		};
	*ret_rows = rows;
	return 0;
}

void identity_rows_clear(struct identity_rows *rows)
{
	db_result_free(&rows->result);
	free(rows->items);
	*rows = (struct identity_rows) { 0 };
}

static int not_found(struct err *e)
{
	return err_set(e, ERR_NOT_FOUND, "IDENTITY_NOT_FOUND", "Identity not found");
}

/* Begins a change of a user's identities, which nobody else can change meanwhile. */
static int begin(struct db *db, const char *user_id, struct db **ret_tx, struct err *e)
{
	CLEANUP(db_rollback_guard) struct db *tx = NULL;

	if (db_begin(db, &tx, e) < 0 ||
	    db_query(tx, &statements[STATEMENT_LOCK_USER], DB_ARGS(DB_TEXT(user_id)), NULL, e) < 0)
		return -1;
	*ret_tx = STEAL(tx);
	return 0;
}

int identity_unbind(struct db *db, const char *user_id, const char *identity_id, struct err *e)
{
	CLEANUP(db_rollback_guard) struct db *tx = NULL;
	CLEANUP(db_result_free) PGresult *gone = NULL;
	CLEANUP(db_result_free) PGresult *heir = NULL;
	int64_t terminals;

	if (begin(db, user_id, &tx, e) < 0 ||
	    db_query(tx, &statements[STATEMENT_UNBIND],
		     DB_ARGS(DB_TEXT(user_id), DB_TEXT(identity_id)), &gone, e) < 0)
		return -1;
	if (db_rows(gone) == 0)
		return not_found(e);
	if (db_query(tx, &statements[STATEMENT_HEIR], DB_ARGS(DB_TEXT(user_id)), &heir, e) < 0)
		return -1;
	if (db_rows(heir) == 0)
		return err_set(e, ERR_CONFLICT, "LAST_IDENTITY",
			       "This is the only way to log in as this user: bind another one "
			       "first");
	if (db_bool(gone, 0, 0) && access_renew_terminals(tx, user_id, &terminals, e) < 0)
		return -1;
	return db_commit(&tx, e);
}

int identity_make_primary(struct db *db, const char *user_id, const char *identity_id,
			  struct err *e)
{
	CLEANUP(db_rollback_guard) struct db *tx = NULL;
	CLEANUP(db_result_free) PGresult *r = NULL;

	if (begin(db, user_id, &tx, e) < 0 ||
	    db_query(tx, &statements[STATEMENT_NO_PRIMARY], DB_ARGS(DB_TEXT(user_id)), NULL, e) <
		    0 ||
	    db_query(tx, &statements[STATEMENT_MAKE_PRIMARY],
		     DB_ARGS(DB_TEXT(user_id), DB_TEXT(identity_id)), &r, e) < 0)
		return -1;
	return db_rows(r) == 0 ? not_found(e) : db_commit(&tx, e);
}

int identity_clock(struct db *db, int64_t *ret_now, struct err *e)
{
	CLEANUP(db_result_free) PGresult *r = NULL;

	if (db_query(db, &statements[STATEMENT_CLOCK], NULL, &r, e) < 0)
		return -1;
	*ret_now = db_int(r, 0, 0);
	return 0;
}
