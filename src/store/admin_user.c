/* The administrator's view of users and their actions: a part of admin.h. */
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "store/access.h"
#include "store/admin.h"
#include "store/internal.h"

enum statement {
	STATEMENT_FIND,
	STATEMENT_USERS,
	STATEMENT_IDENTITIES,
	STATEMENT_SESSIONS,
	STATEMENT_CLUSTER,
	STATEMENT_DISABLE,
	STATEMENT_SET_ROLE,
	STATEMENT_RENAME,
	STATEMENT_AUDIT,
	STATEMENT_ACCESS,
	STATEMENT_MISSING_ROLES,
};

enum access_column {
	ACCESS_USER_ID,
	ACCESS_USER_NAME,
	ACCESS_CLUSTER_ID,
	ACCESS_LABEL,
	ACCESS_SEALED,
	ACCESS_VERSION,
	ACCESS_SERVER,
	ACCESS_NAMESPACE,
	ACCESS_ACCOUNT,
	ACCESS_EXPIRES_AT,
	ACCESS_EXPIRES_IN_S,
};

/* SQL is laid out by hand. The names of columns are members of what is shown. */
/* clang-format off */
static const struct db_statement statements[] = {
	[STATEMENT_FIND] = { "admin_find_user",
		"SELECT id FROM users WHERE id::text = lower($1) OR lower(name) = lower($1)"
		" ORDER BY created_at LIMIT 10" },
	[STATEMENT_USERS] = { "admin_users",
		"SELECT" STORE_ADMIN_USER ","
		" (SELECT count(*) FROM sessions"
		"  WHERE user_id = u.id AND expires_at > now()) AS sessions,"
		" (SELECT count(*) FROM projects"
		"  WHERE user_id = u.id AND deleted_at IS NULL) AS projects"
		" FROM users u WHERE $1::uuid IS NULL OR u.id = $1 ORDER BY u.created_at, u.id" },
	[STATEMENT_IDENTITIES] = { "admin_identities",
		"SELECT id, provider, provider_user_id AS \"providerUserId\","
		" is_primary AS \"isPrimary\", iso8601(created_at) AS \"createdAt\""
		" FROM identities WHERE user_id = $1 ORDER BY created_at, id" },
	[STATEMENT_SESSIONS] = { "admin_sessions",
		"SELECT i.provider, iso8601(s.created_at) AS \"createdAt\","
		" iso8601(s.last_seen_at) AS \"lastSeenAt\","
		" iso8601(s.expires_at) AS \"expiresAt\", host(s.address) AS address,"
		" s.user_agent AS \"userAgent\""
		" FROM sessions s JOIN identities i ON i.id = s.identity_id"
		" WHERE s.user_id = $1 AND s.expires_at > now() ORDER BY s.last_seen_at DESC" },
	[STATEMENT_CLUSTER] = { "admin_clusters",
		"SELECT name, region, server, namespace, account, iso8601(expires_at) AS \"expiresAt\","
		" coalesce(expires_at < now(), false) AS expired,"
		" iso8601(updated_at) AS \"updatedAt\""
		" FROM clusters WHERE user_id = $1 ORDER BY id <> user_id, name" },
	[STATEMENT_DISABLE] = { "admin_disable",
		"WITH ended AS (DELETE FROM sessions WHERE user_id = $1),"
		" links AS (DELETE FROM invitations WHERE user_id = $1)"
		" UPDATE users SET disabled_at ="
		"  CASE WHEN $2::boolean THEN coalesce(disabled_at, now()) END"
		" WHERE id = $1 AND deleted_at IS NULL RETURNING true" },
	[STATEMENT_SET_ROLE] = { "admin_set_role", "UPDATE users SET role = $2 WHERE id = $1" },
	/* No row: the name is taken. */
	[STATEMENT_RENAME] = { "admin_rename",
		"WITH old AS (SELECT id, name FROM users WHERE id = $1 FOR UPDATE),"
		" login AS (UPDATE identities SET provider_user_id = lower($2), updated_at = now()"
		"  WHERE user_id = $1 AND provider = 'PASSWORD')"
		" UPDATE users u SET name = $2 FROM old WHERE u.id = old.id AND NOT EXISTS"
		"  (SELECT FROM users o WHERE lower(o.name) = lower($2) AND o.id <> $1)"
		" RETURNING old.name" },
	[STATEMENT_AUDIT] = { "admin_audit",
		"SELECT a.id, iso8601(a.at) AS at, a.user_id AS \"userId\", u.name AS user,"
		" a.action, a.object_type AS \"objectType\", a.object_id AS \"objectId\","
		" host(a.address) AS address, a.request_id AS \"requestId\", a.detail"
		" FROM audit a LEFT JOIN users u ON u.id = a.user_id"
		" WHERE ($1::uuid IS NULL OR a.user_id = $1"
		"   OR (starts_with(a.action, 'admin.')"
		"    AND (a.detail->>'user' = $1::text"
		"     OR (a.object_type = 'user' AND a.object_id = $1::text))))"
		"  AND ($2::text IS NULL OR starts_with(a.action, $2))"
		"  AND ($4::text IS NULL OR a.at >= $4::timestamp AT TIME ZONE 'UTC')"
		"  AND ($5::bigint = 0 OR a.at >= now() - $5::bigint * interval '1 ms')"
		" ORDER BY a.id DESC LIMIT $3::bigint" },
	[STATEMENT_ACCESS] = { "admin_access",
		"SELECT u.id, u.name, k.id,"
		" u.name || CASE WHEN k.id = u.id THEN '' ELSE '/' || k.name END,"
		" k.sealed, k.version, k.server, k.namespace, k.account,"
		" iso8601(k.expires_at), extract(epoch FROM k.expires_at - now())::bigint"
		" FROM clusters k JOIN users u ON u.id = k.user_id"
		" WHERE CASE WHEN $1::uuid IS NULL THEN u.disabled_at IS NULL ELSE u.id = $1 END"
		" ORDER BY u.name, u.id, k.id <> k.user_id, k.name" },
	[STATEMENT_MISSING_ROLES] = { "admin_missing_roles",
		"SELECT name FROM (VALUES ('fsa_api', 'projects'), ('fsa_auth', 'identities'),"
		"  ('fsa_reconcile', 'clusters'), ('fsa_events', 'projects'))"
		" AS needed (name, reads)"
		" WHERE NOT coalesce((SELECT has_any_column_privilege(r.oid, reads, 'SELECT')"
		"  FROM pg_roles r WHERE r.rolname = name), false)" },
};
/* clang-format on */

static int list_for(struct db *db, enum statement statement, const char *user_id, json_t **ret_rows,
		    struct err *e)
{
	return store_rows(db, &statements[statement], DB_ARGS(DB_TEXT(user_id)), ret_rows, e);
}

int admin_find_user(struct db *db, const char *reference, char ret_user_id[STORE_ID_LENGTH + 1],
		    struct err *e)
{
	CLEANUP(db_result_free) PGresult *r = NULL;

	if (db_query(db, &statements[STATEMENT_FIND], DB_ARGS(DB_TEXT(reference)), &r, e) < 0)
		return -1;
	if (db_rows(r) == 0)
		return err_set(e, ERR_NOT_FOUND, "USER_NOT_FOUND",
			       "no user has the id or name \"%s\": see fsactl user list",
			       reference);
	if (db_rows(r) > 1)
		return store_ambiguous("users", reference, r, e);
	(void)snprintf(ret_user_id, STORE_ID_LENGTH + 1, "%s", db_text(r, 0, 0));
	return 0;
}

int admin_users(struct db *db, const char *user_id, json_t **ret_rows, struct err *e)
{
	return list_for(db, STATEMENT_USERS, user_id, ret_rows, e);
}

int admin_identities(struct db *db, const char *user_id, json_t **ret_rows, struct err *e)
{
	return list_for(db, STATEMENT_IDENTITIES, user_id, ret_rows, e);
}

int admin_sessions(struct db *db, const char *user_id, json_t **ret_rows, struct err *e)
{
	return list_for(db, STATEMENT_SESSIONS, user_id, ret_rows, e);
}

int admin_clusters(struct db *db, const char *user_id, json_t **ret_rows, struct err *e)
{
	return list_for(db, STATEMENT_CLUSTER, user_id, ret_rows, e);
}

int admin_set_disabled(struct db *db, const char *user_id, bool disabled, struct err *e)
{
	CLEANUP(db_result_free) PGresult *r = NULL;
	int64_t terminals;

	if (db_query(db, &statements[STATEMENT_DISABLE],
		     DB_ARGS(DB_TEXT(user_id), DB_BOOL(disabled)), &r, e) < 0)
		return -1;
	if (db_rows(r) == 0)
		return err_set(e, ERR_CONFLICT, "USER_DELETED",
			       "this user is being deleted, and stays disabled until then");
	return disabled ? access_renew_terminals(db, user_id, &terminals, e) : 0;
}

int admin_set_role(struct db *db, const char *user_id, const char *role, struct err *e)
{
	return db_query(db, &statements[STATEMENT_SET_ROLE],
			DB_ARGS(DB_TEXT(user_id), DB_TEXT(role)), NULL, e);
}

int admin_rename_user(struct db *tx, const char *user_id, const char *name, char **ret_old_name,
		      struct err *e)
{
	CLEANUP(db_result_free) PGresult *r = NULL;
	struct err failed;

	int result = db_query(tx, &statements[STATEMENT_RENAME],
			      DB_ARGS(DB_TEXT(user_id), DB_TEXT(name)), &r, &failed);
	if (result < 0 && failed.kind != ERR_CONFLICT) {
		*e = failed;
		return -1;
	}
	if (result < 0 || db_rows(r) == 0)
		return err_set(e, ERR_CONFLICT, "USER_EXISTS",
			       "another user is called, or logs in as, \"%s\"", name);
	*ret_old_name = mem_strdup(db_text(r, 0, 0));
	return 0;
}

int admin_audit(struct db *db, const struct admin_audit_filter *filter, json_t **ret_rows,
		struct err *e)
{
	return store_rows(db, &statements[STATEMENT_AUDIT],
			  DB_ARGS(DB_TEXT(filter->user_id), DB_TEXT(filter->action),
				  DB_INT(filter->limit), DB_TEXT(filter->since),
				  DB_INT(filter->since_ms)),
			  ret_rows, e);
}

static struct admin_access read_access(const PGresult *r, int i, void **decoded)
{
	struct admin_access a = {
		.user_id = db_text(r, i, ACCESS_USER_ID),
		.user_name = db_text(r, i, ACCESS_USER_NAME),
		.cluster_id = db_text(r, i, ACCESS_CLUSTER_ID),
		.label = db_text(r, i, ACCESS_LABEL),
		.version = db_int(r, i, ACCESS_VERSION),
		.server = db_text(r, i, ACCESS_SERVER),
		.namespace = db_text(r, i, ACCESS_NAMESPACE),
		.account = db_text(r, i, ACCESS_ACCOUNT),
		.expires_at = db_text(r, i, ACCESS_EXPIRES_AT),
		.expires_in_s = db_int(r, i, ACCESS_EXPIRES_IN_S),
	};

	a.sealed = store_bytes(decoded, r, i, ACCESS_SEALED, &a.sealed_length);
	return a;
}

int admin_access_list(struct db *db, const char *user_id, struct admin_access_rows *ret_rows,
		      struct err *e)
{
	struct admin_access_rows rows = { 0 };

	if (db_query(db, &statements[STATEMENT_ACCESS], DB_ARGS(DB_TEXT(user_id)), &rows.result,
		     e) < 0)
		return -1;
	rows.count = (size_t)db_rows(rows.result);
	rows.items = mem_calloc(rows.count, sizeof(*rows.items));
	for (size_t i = 0; i < rows.count; i++)
		rows.items[i] = read_access(rows.result, (int)i, &rows.decoded);
	*ret_rows = rows;
	return 0;
}

void admin_access_rows_clear(struct admin_access_rows *rows)
{
	store_bytes_free(&rows->decoded);
	db_result_free(&rows->result);
	free(rows->items);
	*rows = (struct admin_access_rows) { 0 };
}

int admin_missing_roles(struct db *db, json_t **ret_rows, struct err *e)
{
	return store_rows(db, &statements[STATEMENT_MISSING_ROLES], NULL, ret_rows, e);
}
