#include "store/session.h"

#include <stdio.h>

#include "base/cleanup.h"
#include "store/internal.h"

enum statement {
	STATEMENT_FIND,
	STATEMENT_FIND_FOR,
	STATEMENT_TOUCH,
	STATEMENT_CREATE,
	STATEMENT_DELETE,
	STATEMENT_LIST,
	STATEMENT_END,
};

#define IDLE "$2::bigint * interval '1 millisecond'"

enum found_column {
	FOUND_USER,
	FOUND_IDENTITY,
	FOUND_NAME,
	FOUND_EXPIRES,
	FOUND_IS_UNUSED,
	FOUND_IS_RECENT,
	FOUND_IS_ADMIN,
	FOUND_OWNER,
	FOUND_ROLE,
};

/* SQL is laid out by hand. */
/* clang-format off */
#define FOUND                                                                                      \
	"s.user_id, s.identity_id, u.name,"                                                        \
	" iso8601(least(s.expires_at, s.last_seen_at + " IDLE ")),"                                \
	" s.last_seen_at < now() - interval '1 minute',"                                           \
	" s.created_at > now() - interval '10 minutes', u.role = 'admin'"
#define IS_IN_USE                                                                                  \
	"s.id_hash = $1 AND s.expires_at > now() AND s.last_seen_at > now() - " IDLE               \
	" AND u.disabled_at IS NULL"

static const struct db_statement statements[] = {
	[STATEMENT_FIND] = { "session_find",
		"SELECT " FOUND " FROM sessions s JOIN users u ON u.id = s.user_id WHERE " IS_IN_USE },
	[STATEMENT_FIND_FOR] = { "session_find_for",
		"SELECT " FOUND ", a.owner_id, a.role FROM sessions s JOIN users u ON u.id = s.user_id"
		" LEFT JOIN project_access a ON a.user_id = s.user_id AND a.project_id = $3"
		" WHERE " IS_IN_USE },
	[STATEMENT_TOUCH] = { "session_touch",
		"UPDATE sessions SET last_seen_at = now() WHERE id_hash = $1" },
	[STATEMENT_CREATE] = { "session_create",
		"WITH oldest AS (DELETE FROM sessions WHERE id_hash IN"
		"  (SELECT id_hash FROM sessions WHERE user_id = $2"
		"   ORDER BY last_seen_at DESC OFFSET $7::bigint - 1)) "
		"INSERT INTO sessions (id_hash, user_id, identity_id, expires_at,"
		"  address, user_agent)"
		" VALUES ($1, $2, $3,"
		"  now() + $4::bigint * interval '1 millisecond', $5,"
		"  left($6, 256))" },
	[STATEMENT_DELETE] = { "session_delete",
		"DELETE FROM sessions WHERE id_hash = $1" },
	/* The names of columns are members of what is shown. */
	[STATEMENT_LIST] = { "session_list",
		"SELECT s.id, i.provider, iso8601(s.created_at) AS \"createdAt\","
		" iso8601(s.last_seen_at) AS \"lastSeenAt\","
		" iso8601(least(s.expires_at, s.last_seen_at + " IDLE ")) AS \"expiresAt\","
		" host(s.address) AS address, s.user_agent AS \"userAgent\","
		" s.id_hash = $3 AS current"
		" FROM sessions s JOIN identities i ON i.id = s.identity_id"
		" WHERE s.user_id = $1 AND s.expires_at > now()"
		"  AND s.last_seen_at > now() - " IDLE
		" ORDER BY s.last_seen_at DESC, s.id" },
	[STATEMENT_END] = { "session_end",
		"DELETE FROM sessions WHERE user_id = $1 AND id = $2 RETURNING true" },
};
/* clang-format on */

/* Takes the columns FOUND, and notes the use. */
static int take(struct db *db, const PGresult *r, const struct db_arg hash, struct session *s,
		struct err *e)
{
	if (db_rows(r) == 0)
		return err_set(e, ERR_UNAUTHENTICATED, NULL, "Unauthorized");
	if (db_bool(r, 0, FOUND_IS_UNUSED) &&
	    db_query(db, &statements[STATEMENT_TOUCH], DB_ARGS(hash), NULL, e) < 0)
		return -1;
	s->api_token_id[0] = '\0';
	s->read_only = false;
	s->recent = db_bool(r, 0, FOUND_IS_RECENT);
	s->is_admin = db_bool(r, 0, FOUND_IS_ADMIN);
	(void)snprintf(s->user_id, sizeof(s->user_id), "%s", db_text(r, 0, FOUND_USER));
	(void)snprintf(s->identity_id, sizeof(s->identity_id), "%s", db_text(r, 0, FOUND_IDENTITY));
	(void)snprintf(s->user_name, sizeof(s->user_name), "%s", db_text(r, 0, FOUND_NAME));
	(void)snprintf(s->expires_at, sizeof(s->expires_at), "%s", db_text(r, 0, FOUND_EXPIRES));
	return 0;
}

int session_find(struct db *db, const uint8_t token_hash[TOKEN_HASH_BYTES], uint64_t idle_ms,
		 struct session *ret_session, struct err *e)
{
	CLEANUP(db_result_free) PGresult *r = NULL;
	const struct db_arg hash = DB_BYTES(token_hash, TOKEN_HASH_BYTES);

	if (db_query(db, &statements[STATEMENT_FIND], DB_ARGS(hash, DB_INT(idle_ms)), &r, e) < 0)
		return -1;
	return take(db, r, hash, ret_session, e);
}

int session_find_for(struct db *db, const uint8_t token_hash[TOKEN_HASH_BYTES], uint64_t idle_ms,
		     const char *project_id, struct session *ret_session,
		     struct project_access *ret_access, struct err *e)
{
	CLEANUP(db_result_free) PGresult *r = NULL;
	const struct db_arg hash = DB_BYTES(token_hash, TOKEN_HASH_BYTES);

	if (db_query(db, &statements[STATEMENT_FIND_FOR],
		     DB_ARGS(hash, DB_INT(idle_ms), DB_TEXT(project_id)), &r, e) < 0 ||
	    take(db, r, hash, ret_session, e) < 0)
		return -1;
	const char *role = db_text(r, 0, FOUND_ROLE);
	ret_access->owner_id[0] = '\0';
	if (role != NULL && project_role_parse(role, &ret_access->role))
		(void)snprintf(ret_access->owner_id, sizeof(ret_access->owner_id), "%s",
			       db_text(r, 0, FOUND_OWNER));
	return 0;
}

int session_create(struct db *db, const struct session_new *s, struct err *e)
{
	return db_query(db, &statements[STATEMENT_CREATE],
			DB_ARGS(DB_BYTES(s->token_hash, TOKEN_HASH_BYTES), DB_TEXT(s->user_id),
				DB_TEXT(s->identity_id), DB_INT(s->lifetime_ms),
				DB_TEXT(s->address), DB_TEXT(s->user_agent), DB_INT(SESSIONS_MAX)),
			NULL, e);
}

int session_delete(struct db *db, const uint8_t token_hash[TOKEN_HASH_BYTES], struct err *e)
{
	return db_query(db, &statements[STATEMENT_DELETE],
			DB_ARGS(DB_BYTES(token_hash, TOKEN_HASH_BYTES)), NULL, e);
}

int session_list(struct db *db, const char *user_id, const uint8_t own_hash[TOKEN_HASH_BYTES],
		 uint64_t idle_ms, json_t **ret_sessions, struct err *e)
{
	return store_rows(
		db, &statements[STATEMENT_LIST],
		DB_ARGS(DB_TEXT(user_id), DB_INT(idle_ms), DB_BYTES(own_hash, TOKEN_HASH_BYTES)),
		ret_sessions, e);
}

int session_end(struct db *db, const char *user_id, const char *session_id, struct err *e)
{
	CLEANUP(db_result_free) PGresult *r = NULL;

	if (db_query(db, &statements[STATEMENT_END], DB_ARGS(DB_TEXT(user_id), DB_TEXT(session_id)),
		     &r, e) < 0)
		return -1;
	if (db_rows(r) == 0)
		return err_set(e, ERR_NOT_FOUND, "SESSION_NOT_FOUND", "Session not found");
	return 0;
}
