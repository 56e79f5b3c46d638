#include "store/queue.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "domain/user.h"
#include "store/deletion.h"
#include "store/internal.h"

#define CLAIM_SELECT                                                                               \
	"SELECT 0" QUEUE_COLUMNS(COLUMN_SQL, "c", "s", "d") CONNECTION_COLUMNS(COLUMN_SQL, "d")    \
		CONNECTION_QUEUE_COLUMNS(COLUMN_SQL, "d") " "

/* clang-format off */
static const struct column row_columns[] = {
	QUEUE_COLUMNS(COLUMN_READ, struct queue_row, struct queue_row, struct queue_row)
};
static const struct column connection_columns[] = {
	CONNECTION_COLUMNS(COLUMN_READ, struct queue_connection)
	CONNECTION_QUEUE_COLUMNS(COLUMN_READ, struct queue_connection)
};
/* clang-format on */

enum statement {
	STATEMENT_CLAIM,
	STATEMENT_CLAIM_NOT_FOREIGN,
	STATEMENT_PEEK,
	STATEMENT_VARIABLES,
	STATEMENT_RELEASE_LOCK,
	STATEMENT_RELEASE,
	STATEMENT_WAKE,
	STATEMENT_NEXT_DUE,
	STATEMENT_BACKLOG,
	STATEMENT_END_PROJECTS,
	STATEMENT_STOP_IDLE,
	STATEMENT_EXPIRE_SESSIONS,
	STATEMENT_EXPIRE_KEYS,
	STATEMENT_EXPIRE_LIVE,
	STATEMENT_EXPIRE_EVENTS,
	STATEMENT_LIMIT_EVENTS,
	STATEMENT_EXPIRE_AUDIT,
};

/* Joins what belongs to rows of resources with the alias `r`. */
#define CLAIM_JOINS(r)                                                                             \
	" JOIN projects p ON p.id = " r ".project_id"                                              \
	" LEFT JOIN sandboxes s ON s.resource_id = " r ".id"                                       \
	" LEFT JOIN resources dr ON dr.project_id = " r ".project_id AND dr.kind = 'DATABASE'"     \
	"  AND " STORE_HAS_DATABASE(r, "dr") " LEFT JOIN databases d ON d.resource_id = dr.id"     \
					     " LEFT JOIN clusters k ON "                           \
					     "k.id = coalesce(p.cluster_id, p.user_id)"

#define GIVEN_LEASES                                                                               \
	"jsonb_to_recordset($1::jsonb) AS g (id uuid, epoch bigint, generation bigint, observed "  \
	"jsonb)"

/* SQL is laid out by hand. */
/* clang-format off */
/* $1 worker, $2 limit, $3 per user, $4 lease in ms, $5 only those without a cause, $6 limit for
 * users with slow rows, $7 and $8 the shard and their number, $10 limit for users in debt.
 *
 * However many rows are due, a claim reads a bounded number of them. First it chooses users: those
 * of the oldest rows; those of the newest rows, which include what was just requested; and, if
 * there are more rows, some in the order of their ids from a random one on, so that rows in between
 * do not wait for all the rows of others. Then it reads the oldest rows of each. `turn` is a row's
 * place among those of its user, counting those in progress; users with the fewest come first. The
 * lock sees the row as it is now, not as in this statement's snapshot. A leased row is next due at
 * the lease's end, so that a change or a wake-up during the lease shows as a different time. */
#define CLAIM_WINDOW(ordered) \
	"(SELECT user_id, due_at FROM resources WHERE " STORE_IS_FREE " ORDER BY due_at " ordered ")"
#define CLAIM_IS_OURS STORE_NOT_HELD " AND " STORE_IN_SHARD("$7", "$8")
#define CLAIM_LINE(user) \
	"CASE WHEN " QUEUE_IS_IN_DEBT(user) " THEN 'in debt' WHEN " QUEUE_IS_SLOW(user) " THEN 'slow'" \
	" ELSE 'ordinary' END AS line"
#define CLAIM_IS_PLACED \
	"place <= CASE line WHEN 'in debt' THEN $10::bigint WHEN 'slow' THEN $6::bigint" \
	" ELSE $2::bigint END"
#define CLAIM_SOME_USERS(condition) \
	"(SELECT user_id FROM (SELECT id AS user_id FROM users) AS u WHERE " CLAIM_IS_OURS condition \
	" ORDER BY user_id LIMIT 64)"
/* As many users as there are places, without those who have no place left: they would displace
 * others. */
#define CLAIM_USERS(window, first) \
	"(SELECT user_id FROM (SELECT user_id, line," \
	"  row_number() OVER (PARTITION BY line ORDER BY first) AS place FROM (" \
	"  SELECT user_id, row_number() OVER (ORDER BY " first ") AS first," \
	"   " CLAIM_LINE("w.user_id") " FROM " window " AS w WHERE " CLAIM_IS_OURS \
	"   AND NOT EXISTS (SELECT FROM under_way u WHERE u.user_id = w.user_id" \
	"    AND u.count >= $3::bigint) GROUP BY user_id) AS w) AS u" \
	" WHERE " CLAIM_IS_PLACED ")"
#define CLAIM_OF(which) \
	"WITH oldest AS MATERIALIZED " CLAIM_WINDOW("LIMIT 500") \
	", newest AS MATERIALIZED " CLAIM_WINDOW("DESC LIMIT 200") \
	", others AS (" \
	CLAIM_SOME_USERS(" AND user_id >= (SELECT gen_random_uuid())") \
	" UNION ALL " CLAIM_SOME_USERS("") " LIMIT 64" \
	"), under_way AS (" \
	" SELECT user_id, count(*) AS count FROM resources" \
	" WHERE leased_until IS NOT NULL AND leased_until >= now()" \
	" GROUP BY user_id" \
	"), owners AS MATERIALIZED (" \
	CLAIM_USERS("oldest", "min(due_at)") " UNION " CLAIM_USERS("newest", "max(due_at) DESC") \
	" UNION SELECT user_id FROM others WHERE (SELECT count(*) FROM oldest) = 500" \
	"  AND (SELECT true FROM resources WHERE user_id = others.user_id AND " STORE_IS_FREE \
	"   LIMIT 1)" \
	"), ranked AS (" \
	" SELECT due.id, due.due_at, coalesce(u.count, 0) + due.number AS turn," \
	"  " CLAIM_LINE("owners.user_id") \
	" FROM owners LEFT JOIN under_way u USING (user_id), LATERAL (" \
	"  SELECT id, due_at, row_number() OVER (ORDER BY due_at) AS number FROM resources c" \
	"  WHERE user_id = owners.user_id AND " STORE_IS_FREE \
	"   AND (cause_kind IS NULL OR NOT $5::boolean)" which \
	"  ORDER BY due_at" \
	"  LIMIT (SELECT least($3::bigint, 1 + 2 * $2::bigint / count(*)) FROM owners)) AS due" \
	"), placed AS (" \
	" SELECT id, turn, due_at, line," \
	"  row_number() OVER (PARTITION BY line ORDER BY turn, due_at) AS place" \
	" FROM ranked WHERE turn <= $3::bigint" \
	"), picked AS MATERIALIZED (" \
	" SELECT id FROM placed WHERE " CLAIM_IS_PLACED \
	" ORDER BY turn, due_at LIMIT $2::bigint" \
	"), free AS MATERIALIZED (" \
	" SELECT r.id FROM resources r WHERE r.id = ANY (ARRAY(SELECT id FROM picked))" \
	"  AND r.due_at <= now()" \
	"  AND (r.leased_until IS NULL OR r.leased_until < now())" \
	" FOR UPDATE OF r SKIP LOCKED" \
	"), c AS (" \
	" UPDATE resources r SET lease_epoch = lease_epoch + 1," \
	"  leased_until = now() + $4::bigint * interval '1 millisecond'," \
	"  due_at = now() + $4::bigint * interval '1 millisecond'," \
	"  leased_by = $1" \
	" FROM free WHERE r.id = free.id RETURNING r.*" \
	") " CLAIM_SELECT \
	"FROM c" CLAIM_JOINS("c")

/* Excludes rows with a secret sealed to one of the keys in $9. This is a separate statement because
 * nearly all sites have no such keys, and would plan it each time. */
#define IS_SEALED_TO(column) "encode(substr(" column ", 5, 8), 'hex') = ANY (f.keys)"
#define NOT_FOREIGN \
	" AND NOT EXISTS (SELECT FROM resources r" CLAIM_JOINS("r") \
	"  CROSS JOIN (SELECT ARRAY(SELECT jsonb_array_elements_text($9::jsonb)) AS keys) f" \
	"  WHERE r.id = c.id AND (" IS_SEALED_TO("k.sealed") \
	"   OR " IS_SEALED_TO("s.terminal_token_sealed") \
	"   OR " IS_SEALED_TO("s.request_env_sealed") \
	"   OR " IS_SEALED_TO("d.password_sealed") \
	"   OR EXISTS (SELECT FROM environment v WHERE v.project_id = r.project_id" \
	"    AND " IS_SEALED_TO("v.value_sealed") ")" \
	"   OR EXISTS (SELECT FROM user_config u WHERE u.user_id = r.user_id" \
	"    AND " IS_SEALED_TO("u.value_sealed") ")))"

/* Since when the oldest row is due, of users in debt or not. For those in debt, waiting counts only
 * from the end of the pause. */
#define OLDEST_DUE(columns, owner) \
	"(SELECT " columns " FROM resources WHERE " STORE_IS_FREE " AND " STORE_NOT_HELD \
	" AND " owner QUEUE_IS_IN_DEBT("resources.user_id") " ORDER BY due_at LIMIT 1)"

static const struct db_statement statements[] = {
	[STATEMENT_CLAIM] = { "queue_claim", CLAIM_OF(" AND $9::jsonb IS NULL") },
	[STATEMENT_CLAIM_NOT_FOREIGN] = { "queue_claim_not_foreign", CLAIM_OF(NOT_FOREIGN) },
	[STATEMENT_PEEK] = { "queue_peek",
		CLAIM_SELECT
		"FROM resources c" CLAIM_JOINS("c") " WHERE c.project_id = $1 ORDER BY " STORE_RESOURCE_ORDER("c") },
	[STATEMENT_VARIABLES] = { "queue_variables",
		"WITH g AS (SELECT DISTINCT id::uuid FROM jsonb_array_elements_text($1::jsonb) AS g (id))"
		" SELECT v.project_id, v.key, v.value_sealed, v.value, v.is_setting FROM ("
		"  SELECT e.project_id, e.key, e.value_sealed, NULL AS value, false AS is_setting"
		"  FROM g JOIN environment e ON e.project_id = g.id"
		"  UNION ALL"
		"  SELECT g.id, c.key, c.value_sealed, c.value, true"
		"  FROM g JOIN projects p ON p.id = g.id JOIN user_config c ON c.user_id = p.user_id"
		"   AND c.key IN (SELECT jsonb_array_elements_text($2::jsonb))"
		" ) AS v ORDER BY v.project_id, v.is_setting DESC, v.key" },
	[STATEMENT_RELEASE_LOCK] = { "queue_release_lock",
		"SELECT FROM projects WHERE id IN"
		" (SELECT r.project_id FROM " GIVEN_LEASES
		"  JOIN resources r ON r.id = g.id)"
		" ORDER BY id FOR NO KEY UPDATE" },
	[STATEMENT_RELEASE] = { "queue_release",
		"UPDATE resources r SET leased_until = NULL, leased_by = NULL,"
		" due_at = now(), observed = CASE WHEN r.generation = g.generation"
		"  THEN coalesce(g.observed, r.observed) ELSE r.observed END"
		" FROM " GIVEN_LEASES
		" WHERE r.id = g.id AND r.lease_epoch = g.epoch"
		"  AND r.leased_until IS NOT NULL" },
	[STATEMENT_WAKE] = { "queue_wake",
		/* A row that is locked is being made due or claimed, so it is not waited for. */
		"UPDATE resources SET due_at = now() WHERE id = ANY (ARRAY("
		" SELECT id FROM resources WHERE due_at > now() AND cause_kind IS NULL AND id IN"
		"  (SELECT value::uuid FROM jsonb_array_elements_text($1::jsonb))"
		" FOR NO KEY UPDATE SKIP LOCKED))" },
	/* Rows without and with a lease, each by its own index. */
	[STATEMENT_NEXT_DUE] = { "queue_next_due",
		"SELECT greatest(0, ceil(extract(epoch FROM due.at - now()) * 1000)"
		"  ::bigint)"
		" FROM (SELECT least("
		"  (SELECT due_at FROM resources WHERE leased_until IS NULL"
		"   AND " STORE_NOT_HELD " AND " STORE_IN_SHARD("$1", "$2")
		"   ORDER BY due_at LIMIT 1),"
		"  (SELECT min(greatest(due_at, leased_until)) FROM resources"
		"   WHERE leased_until IS NOT NULL"
		"   AND " STORE_NOT_HELD " AND " STORE_IN_SHARD("$1", "$2") "),"
		"  (SELECT min(greatest(due_at, leased_until)) FROM cluster_checks"
		"   WHERE due_at IS NOT NULL"
		"   AND " STORE_NOT_HELD " AND " STORE_IN_SHARD("$1", "$2") "),"
		"  (SELECT min(until) FROM (" STORE_HOLDS ") AS held"
		"   WHERE " STORE_IN_SHARD("$1", "$2") ")) AS at) AS due"
		" WHERE due.at IS NOT NULL" },
	[STATEMENT_BACKLOG] = { "queue_backlog",
		"SELECT (SELECT count(*) FROM (SELECT FROM resources WHERE " STORE_IS_FREE
		"  AND " STORE_NOT_HELD " LIMIT $1::bigint) AS due),"
		" (extract(epoch FROM now() - least(" OLDEST_DUE("due_at", "NOT ") ","
		"  " OLDEST_DUE("greatest(due_at, " STORE_PAUSE ")", "") ")) * 1000)::bigint,"
		" (SELECT count(*) FROM resources"
		"  WHERE leased_until IS NOT NULL AND leased_until >= now()),"
		" (SELECT count(*) FROM (" STORE_DEBTORS_HELD ") AS held)" },
	[STATEMENT_END_PROJECTS] = { "queue_end_projects", "SELECT end_projects()" },
	[STATEMENT_STOP_IDLE] = { "queue_stop_idle", "SELECT stop_idle_projects()" },
	[STATEMENT_EXPIRE_SESSIONS] = { "queue_expire_sessions",
		"DELETE FROM sessions WHERE id_hash IN"
		" (SELECT id_hash FROM sessions WHERE expires_at < now()"
		"  LIMIT 1000)" },
	[STATEMENT_EXPIRE_LIVE] = { "queue_expire_live",
		"DELETE FROM live_changes WHERE at < now() - interval '1 minute'" },
	/* By ids, which grow with time, so the table needs no index for this. */
	[STATEMENT_EXPIRE_EVENTS] = { "queue_expire_events",
		"DELETE FROM events WHERE id IN"
		" (SELECT id FROM events ORDER BY id LIMIT 200)"
		" AND at < now() - $1::bigint * interval '1 millisecond'" },
	/* A project with many events is sooner or later among those with the newest: one of these
	 * is checked each time. */
	[STATEMENT_LIMIT_EVENTS] = { "queue_limit_events",
		"WITH busy AS (SELECT project_id FROM events ORDER BY id DESC"
		"  OFFSET floor(random() * 200) LIMIT 1"
		"), last AS (SELECT e.project_id, e.id FROM busy, LATERAL ("
		"  SELECT project_id, id FROM events WHERE project_id = busy.project_id"
		"  ORDER BY id DESC OFFSET $1::bigint LIMIT 1) AS e"
		") DELETE FROM events WHERE id IN (SELECT e.id FROM last JOIN events e"
		"  ON e.project_id = last.project_id AND e.id <= last.id LIMIT 1000)" },
	[STATEMENT_EXPIRE_AUDIT] = { "queue_expire_audit",
		"SELECT prune_audit($1::bigint * interval '1 millisecond')" },
	[STATEMENT_EXPIRE_KEYS] = { "queue_expire_keys",
		"DELETE FROM idempotency WHERE (user_id, key) IN"
		" (SELECT user_id, key FROM idempotency"
		"  WHERE created_at < now() - $1::bigint * interval '1"
		" millisecond' LIMIT 1000)" },
};
/* clang-format on */

/* ---- claim ----------------------------------------------------------------------------------- */

static int read_row(struct queue_rows *rows, size_t i, struct err *e)
{
	struct queue_row *row = &rows->items[i];
	struct column_reader in = {
		.result = rows->result, .decoded = &rows->decoded, .row = (int)i, .column = 1
	};

	if (column_read(&in, row_columns, ARRAY_SIZE(row_columns), row, e) < 0)
		return -1;
	return column_read(&in, connection_columns, ARRAY_SIZE(connection_columns),
			   &row->connection, e);
}

static int read_rows(struct db *db, enum statement statement, const struct db_args *args,
		     struct queue_rows *ret_rows, struct err *e)
{
	CLEANUP(queue_rows_clear) struct queue_rows rows = { 0 };

	if (db_query(db, &statements[statement], args, &rows.result, e) < 0)
		return -1;
	rows.count = (size_t)db_rows(rows.result);
	rows.items = mem_calloc(rows.count, sizeof(*rows.items));
	for (size_t i = 0; i < rows.count; i++) {
		if (read_row(&rows, i, e) < 0)
			return -1;
	}
	*ret_rows = STEAL_STRUCT(rows);
	return 0;
}

int queue_claim(struct db *db, const struct queue_claim *claim, struct queue_rows *ret_rows,
		struct err *e)
{
	bool all = claim->foreign_keys == NULL;

	return read_rows(db, all ? STATEMENT_CLAIM : STATEMENT_CLAIM_NOT_FOREIGN,
			 DB_ARGS(DB_TEXT(claim->worker), DB_INT(claim->limit),
				 DB_INT(claim->per_user), DB_INT(claim->lease_ms),
				 DB_BOOL(claim->only_well), DB_INT(claim->slow_limit),
				 STORE_SHARD(&claim->shard), DB_TEXT(claim->foreign_keys),
				 DB_INT(claim->debtor_limit)),
			 ret_rows, e);
}

int queue_peek(struct db *db, const char *project_id, struct queue_rows *ret_rows, struct err *e)
{
	return read_rows(db, STATEMENT_PEEK, DB_ARGS(DB_TEXT(project_id)), ret_rows, e);
}

void queue_rows_clear(struct queue_rows *rows)
{
	store_bytes_free(&rows->decoded);
	db_result_free(&rows->result);
	free(rows->items);
	*rows = (struct queue_rows) { 0 };
}

int queue_variables(struct db *db, const char *const *project_ids, size_t count,
		    struct queue_variables *ret_variables, struct err *e)
{
	CLEANUP(queue_variables_clear) struct queue_variables v = { 0 };
	CLEANUP(json_decrefp) json_t *ids = json_array(), *settings = json_array();

	for (size_t i = 0; i < count; i++)
		(void)json_array_append_new(ids, json_string(project_ids[i]));
	for (size_t i = 0; i < setting_variable_count; i++)
		(void)json_array_append_new(settings, json_string(setting_variables[i].key));
	if (db_query(db, &statements[STATEMENT_VARIABLES], DB_ARGS(DB_JSON(ids), DB_JSON(settings)),
		     &v.result, e) < 0)
		return -1;
	v.count = (size_t)db_rows(v.result);
	v.items = mem_calloc(v.count, sizeof(*v.items));
	for (int i = 0; i < (int)v.count; i++) {
		struct queue_variable *item = &v.items[i];
		item->project_id = db_text(v.result, i, 0);
		item->key = db_text(v.result, i, 1);
		item->value_sealed =
			store_bytes(&v.decoded, v.result, i, 2, &item->value_sealed_length);
		item->value = db_text(v.result, i, 3);
		item->is_setting = db_bool(v.result, i, 4);
	}
	*ret_variables = STEAL_STRUCT(v);
	return 0;
}

void queue_variables_clear(struct queue_variables *variables)
{
	store_bytes_free(&variables->decoded);
	db_result_free(&variables->result);
	free(variables->items);
	*variables = (struct queue_variables) { 0 };
}

/* ---- the rest -------------------------------------------------------------------------------- */

int queue_release(struct db *db, const struct queue_lease *leases, size_t count, struct err *e)
{
	CLEANUP(db_rollback_guard) struct db *tx = NULL;
	CLEANUP(json_decrefp) json_t *given = json_array();

	for (size_t i = 0; i < count; i++)
		(void)json_array_append_new(
			given, json_pack("{s:s, s:I, s:I, s:O*}", "id", leases[i].id, "epoch",
					 (json_int_t)leases[i].epoch, "generation",
					 (json_int_t)leases[i].generation, "observed",
					 leases[i].observed));
	const struct db_args *args = DB_ARGS(DB_JSON(given));
	if (db_begin(db, &tx, e) < 0 ||
	    db_query(tx, &statements[STATEMENT_RELEASE_LOCK], args, NULL, e) < 0 ||
	    db_query(tx, &statements[STATEMENT_RELEASE], args, NULL, e) < 0)
		return -1;
	return db_commit(&tx, e);
}

int queue_wake(struct db *db, const char *const *ids, size_t count, struct err *e)
{
	CLEANUP(json_decrefp) json_t *list = json_array();

	for (size_t i = 0; i < count; i++)
		(void)json_array_append_new(list, json_string(ids[i]));
	return db_query(db, &statements[STATEMENT_WAKE], DB_ARGS(DB_JSON(list)), NULL, e);
}

int queue_next_due(struct db *db, const struct queue_shard *shard, uint64_t *ret_ms, struct err *e)
{
	CLEANUP(db_result_free) PGresult *r = NULL;

	if (db_query(db, &statements[STATEMENT_NEXT_DUE], DB_ARGS(STORE_SHARD(shard)), &r, e) < 0)
		return -1;
	*ret_ms = db_rows(r) > 0 ? (uint64_t)db_int(r, 0, 0) : UINT64_MAX;
	return 0;
}

int queue_backlog(struct db *db, uint64_t max, struct queue_backlog *ret_backlog, struct err *e)
{
	CLEANUP(db_result_free) PGresult *r = NULL;

	if (db_query(db, &statements[STATEMENT_BACKLOG], DB_ARGS(DB_INT(max)), &r, e) < 0)
		return -1;
	*ret_backlog = (struct queue_backlog) {
		.due = (uint64_t)db_int(r, 0, 0),
		.oldest_ms = (uint64_t)db_int(r, 0, 1),
		.leased = (uint64_t)db_int(r, 0, 2),
		.debtors = (uint64_t)db_int(r, 0, 3),
	};
	return 0;
}

int queue_housekeeping(struct db *db, const struct queue_retention *keep, struct err *e)
{
	if (db_query(db, &statements[STATEMENT_END_PROJECTS], NULL, NULL, e) < 0 ||
	    db_query(db, &statements[STATEMENT_STOP_IDLE], NULL, NULL, e) < 0 ||
	    deletion_finish(db, e) < 0 ||
	    db_query(db, &statements[STATEMENT_EXPIRE_SESSIONS], NULL, NULL, e) < 0 ||
	    db_query(db, &statements[STATEMENT_EXPIRE_LIVE], NULL, NULL, e) < 0 ||
	    db_query(db, &statements[STATEMENT_EXPIRE_EVENTS], DB_ARGS(DB_INT(keep->events_ms)),
		     NULL, e) < 0 ||
	    db_query(db, &statements[STATEMENT_LIMIT_EVENTS], DB_ARGS(DB_INT(QUEUE_EVENTS_MAX)),
		     NULL, e) < 0)
		return -1;
	if (keep->audit_ms > 0 && db_query(db, &statements[STATEMENT_EXPIRE_AUDIT],
					   DB_ARGS(DB_INT(keep->audit_ms)), NULL, e) < 0)
		return -1;
	return db_query(db, &statements[STATEMENT_EXPIRE_KEYS],
			DB_ARGS(DB_INT(keep->idempotency_ms)), NULL, e);
}
