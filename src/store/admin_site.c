#include "store/admin_site.h"

#include <string.h>

#include "base/cleanup.h"
#include "store/internal.h"

enum statement {
	STATEMENT_USERS,
	STATEMENT_USER_COUNT,
	STATEMENT_USER,
	STATEMENT_STUCK,
	STATEMENT_STUCK_COUNT,
	STATEMENT_COUNTS,
	STATEMENT_HOSTS,
	STATEMENT_SAMPLES,
	STATEMENT_LIMIT,
	STATEMENT_ACCESS,
	STATEMENT_INVITE,
	STATEMENT_INVITATION,
	STATEMENT_END_INVITATION,
};

#define IS_NAMED " ($1::text IS NULL OR strpos(lower(u.name), lower($1)) > 0)"
#define IS_STUCK                                                                                   \
	" (r.cause_kind IS NOT NULL OR (r.status NOT IN ('RUNNING', 'STOPPED', 'TERMINATED')"      \
	" AND r.status_since < now() - interval '10 minutes'))"

/* SQL is laid out by hand. The names of columns are members of what is shown. */
/* clang-format off */
static const struct db_statement statements[] = {
	[STATEMENT_USERS] = { "admin_page_users",
		"SELECT" STORE_ADMIN_USER ","
		" (SELECT count(*) FROM projects WHERE user_id = u.id) AS projects"
		" FROM users u WHERE" IS_NAMED " ORDER BY lower(u.name), u.id LIMIT $2::bigint" },
	[STATEMENT_USER_COUNT] = { "admin_count_users",
		"SELECT count(*) FROM users u WHERE" IS_NAMED },
	[STATEMENT_USER] = { "admin_user_exists", "SELECT FROM users WHERE id = $1" },
	[STATEMENT_STUCK] = { "admin_page_stuck",
		"SELECT r.id, r.project_id AS \"projectId\", p.name AS project,"
		" r.user_id AS \"userId\", u.name AS owner, r.kind, r.name, r.status,"
		" r.cause_kind AS \"causeKind\", r.cause_code AS \"causeCode\","
		" r.cause_message AS \"causeMessage\","
		" iso8601(coalesce(r.cause_since, r.status_since)) AS since, r.attempts,"
		" iso8601(r.due_at) AS \"nextAttemptAt\""
		" FROM resources r JOIN projects p ON p.id = r.project_id"
		" JOIN users u ON u.id = r.user_id WHERE" IS_STUCK
		" ORDER BY coalesce(r.cause_since, r.status_since), r.id LIMIT $1::bigint" },
	[STATEMENT_STUCK_COUNT] = { "admin_count_stuck",
		"SELECT count(*) FROM resources r WHERE" IS_STUCK },
	[STATEMENT_COUNTS] = { "admin_counts",
		"SELECT (SELECT count(*) FROM users) AS users,"
		" (SELECT count(*) FROM projects) AS projects,"
		" (SELECT count(*) FROM resources) AS resources,"
		" (SELECT count(*) FROM resources WHERE status = 'RUNNING') AS running" },
	[STATEMENT_HOSTS] = { "admin_hosts",
		"SELECT host, version, iso8601(last_pass_at) AS \"lastPassAt\","
		" greatest(0, (extract(epoch FROM now() - last_pass_at) * 1000)::bigint)"
		"  AS \"ageMs\" FROM pass_hosts ORDER BY host" },
	[STATEMENT_SAMPLES] = { "admin_samples",
		"SELECT iso8601(bin) AS at, max(due) AS due, max(oldest_due_ms) AS \"oldestDueMs\","
		" max(running) AS running, max(failed) AS failed,"
		" coalesce(max(last_audit_id) - lag(max(last_audit_id)) OVER bins, 0) AS changes,"
		" coalesce(max(last_event_id) - lag(max(last_event_id)) OVER bins, 0) AS events"
		" FROM (SELECT *, date_bin('5 minutes', at, 'epoch') AS bin FROM site_samples"
		"  WHERE at > now() - interval '1 day') AS s"
		" GROUP BY bin WINDOW bins AS (ORDER BY bin) ORDER BY bin" },
	[STATEMENT_LIMIT] = { "admin_change_limit",
		"SELECT administrate_limit($1, $2, $3, nullif($4::bigint, -1), $5, $6)" },
	[STATEMENT_ACCESS] = { "admin_change_access",
		"SELECT administrate_access($1, $2, $3, $4, $5)" },
	[STATEMENT_INVITE] = { "admin_invite",
		"SELECT administrate_invitation($1, $2, $3, $4::bigint * interval '1 day',"
		" $5, $6)" },
	[STATEMENT_INVITATION] = { "admin_invitation",
		"SELECT u.id, u.name, iso8601(v.expires_at) AS \"expiresAt\""
		" FROM users u JOIN invitations v ON v.user_id = u.id"
		" WHERE lower(u.name) = lower($1) AND has_no_password(u.id)" },
	[STATEMENT_END_INVITATION] = { "admin_end_invitation",
		"SELECT administrate_withdrawal($1, $2, $3, $4)" },
};
/* clang-format on */

static int count(struct db *db, enum statement statement, const struct db_args *args,
		 int64_t *ret_count, struct err *e)
{
	CLEANUP(db_result_free) PGresult *r = NULL;

	if (db_query(db, &statements[statement], args, &r, e) < 0)
		return -1;
	*ret_count = db_int(r, 0, 0);
	return 0;
}

int admin_page_users(struct db *db, const char *keyword, unsigned limit,
		     struct admin_page *ret_page, struct err *e)
{
	if (count(db, STATEMENT_USER_COUNT, DB_ARGS(DB_TEXT(keyword)), &ret_page->total, e) < 0)
		return -1;
	return store_rows(db, &statements[STATEMENT_USERS],
			  DB_ARGS(DB_TEXT(keyword), DB_INT(limit)), &ret_page->items, e);
}

int admin_limits(struct db *db, const char *user_id, json_t **ret_limits, struct err *e)
{
	CLEANUP(db_result_free) PGresult *user = NULL;

	if (db_query(db, &statements[STATEMENT_USER], DB_ARGS(DB_TEXT(user_id)), &user, e) < 0)
		return -1;
	if (db_rows(user) == 0)
		return err_set(e, ERR_NOT_FOUND, "USER_NOT_FOUND", "There is no such user");
	return limit_list(db, user_id, ret_limits, e);
}

int admin_page_stuck(struct db *db, unsigned limit, struct admin_page *ret_page, struct err *e)
{
	if (count(db, STATEMENT_STUCK_COUNT, NULL, &ret_page->total, e) < 0)
		return -1;
	return store_rows(db, &statements[STATEMENT_STUCK], DB_ARGS(DB_INT(limit)),
			  &ret_page->items, e);
}

int admin_counts(struct db *db, json_t **ret_counts, struct err *e)
{
	CLEANUP(json_decrefp) json_t *rows = NULL;

	if (store_rows(db, &statements[STATEMENT_COUNTS], NULL, &rows, e) < 0)
		return -1;
	*ret_counts = json_incref(json_array_get(rows, 0));
	return 0;
}

int admin_hosts(struct db *db, json_t **ret_rows, struct err *e)
{
	return store_rows(db, &statements[STATEMENT_HOSTS], NULL, ret_rows, e);
}

int admin_samples(struct db *db, json_t **ret_rows, struct err *e)
{
	return store_rows(db, &statements[STATEMENT_SAMPLES], NULL, ret_rows, e);
}

/* ---- changes --------------------------------------------------------------------------------- */

/* Codes that the database's functions return, and their meaning. */
static const struct refusal {
	const char *code;
	enum err_kind kind;
	const char *message;
} refusals[] = {
	{ "NOT_ADMINISTRATOR", ERR_NOT_FOUND, "there is nothing at this path" },
	{ "USER_NOT_FOUND", ERR_NOT_FOUND, "There is no such user" },
	{ "USER_IS_ADMIN", ERR_CONFLICT,
	  "This user is an administrator: the site's operator takes that role first" },
	{ "USER_DELETED", ERR_CONFLICT,
	  "This user is being deleted, and stays disabled until then" },
	{ "USER_EXISTS", ERR_CONFLICT,
	  "There is a user of this name, who has a password or is disabled. For a new password the "
	  "site's operator makes a link, by fsactl user invite" },
	{ "NO_INVITATION", ERR_NOT_FOUND, "This user has no link" },
};

static int change(struct db *db, enum statement statement, const struct db_args *args,
		  struct err *e)
{
	CLEANUP(db_result_free) PGresult *r = NULL;

	if (db_query(db, &statements[statement], args, &r, e) < 0)
		return -1;
	const char *code = db_text(r, 0, 0);
	if (code == NULL)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
		if (strcmp(refusals[i].code, code) == 0)
			return err_set(e, refusals[i].kind, code, "%s", refusals[i].message);
	}
	return err_set(e, ERR_INTERNAL, NULL, "the database refuses with \"%s\"", code);
}

int admin_change_limit(struct db *db, const struct admin_caller *by, const char *user_id,
		       enum limit_kind kind, int64_t value, struct err *e)
{
	return change(db, STATEMENT_LIMIT,
		      DB_ARGS(DB_TEXT(by->token), DB_TEXT(user_id), DB_TEXT(limit_spec(kind)->name),
			      DB_INT(value < 0 ? -1 : value), DB_TEXT(by->address),
			      DB_TEXT(by->request_id)),
		      e);
}

int admin_change_access(struct db *db, const struct admin_caller *by, const char *user_id,
			bool disable, struct err *e)
{
	return change(db, STATEMENT_ACCESS,
		      DB_ARGS(DB_TEXT(by->token), DB_TEXT(user_id), DB_BOOL(disable),
			      DB_TEXT(by->address), DB_TEXT(by->request_id)),
		      e);
}

int admin_invite(struct db *db, const struct admin_caller *by, const char *name,
		 const uint8_t token_hash[TOKEN_HASH_BYTES], unsigned days, struct err *e)
{
	return change(db, STATEMENT_INVITE,
		      DB_ARGS(DB_TEXT(by->token), DB_TEXT(name),
			      DB_BYTES(token_hash, TOKEN_HASH_BYTES), DB_INT(days),
			      DB_TEXT(by->address), DB_TEXT(by->request_id)),
		      e);
}

int admin_invitation(struct db *db, const char *name, json_t **ret_made, struct err *e)
{
	CLEANUP(json_decrefp) json_t *rows = NULL;

	if (store_rows(db, &statements[STATEMENT_INVITATION], DB_ARGS(DB_TEXT(name)), &rows, e) < 0)
		return -1;
	if (json_array_size(rows) != 1)
		return err_set(e, ERR_INTERNAL, NULL, "there is no invitation of %s", name);
	*ret_made = json_incref(json_array_get(rows, 0));
	return 0;
}

int admin_end_invitation(struct db *db, const struct admin_caller *by, const char *user_id,
			 struct err *e)
{
	return change(db, STATEMENT_END_INVITATION,
		      DB_ARGS(DB_TEXT(by->token), DB_TEXT(user_id), DB_TEXT(by->address),
			      DB_TEXT(by->request_id)),
		      e);
}
