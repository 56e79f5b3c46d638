/* Recording the results of a pass: the other half of queue.h. */
#include "base/cleanup.h"
#include "store/internal.h"
#include "store/queue.h"

/* For each row that was still held: its project, and the consequences: whether its status may have
 * changed, its sandboxes depend on a changed database, or the project may be empty. */
enum recorded_column { RECORDED_PROJECT_ID, RECORDED_SETTLES, RECORDED_WAKES, RECORDED_EMPTIES };

enum statement {
	STATEMENT_LOCK,
	STATEMENT_RECORD,
	STATEMENT_WAKE,
	STATEMENT_DECIDE_FORM,
};

#define GIVEN                                                                                      \
	"jsonb_to_recordset($1::jsonb) AS g (id uuid, lease_epoch bigint, generation bigint,"      \
	" gone boolean, status status, stage stage, cause_kind text, cause_code text,"             \
	" cause_message text, attempts integer, due_in_ms bigint, resync_ms bigint,"               \
	" host text, port integer,"                                                                \
	" database text, username text, password_sealed bytea, cluster_uid text,"                  \
	" disconnected boolean, warnings jsonb, observed jsonb, took_ms integer,"                  \
	" idle_s bigint, activity text, log_sealed bytea)"

/* SQL is laid out by hand. */
/* clang-format off */
static const struct db_statement statements[] = {
	[STATEMENT_LOCK] = { "queue_record_lock",
		"SELECT FROM projects WHERE id IN"
		" (SELECT r.project_id FROM " GIVEN " JOIN resources r ON r.id = g.id)"
		" ORDER BY id FOR NO KEY UPDATE" },
	/* The desired state cannot change meanwhile, because the projects are locked. Another pass
	 * could claim the rows, so they are locked, too. Each row is in exactly one of yielded,
	 * recorded and removed. A row that was made due while it was leased, which set its due_at
	 * before the lease's end, becomes due at once. */
	[STATEMENT_RECORD] = { "queue_record",
		"WITH held AS MATERIALIZED ("
		" SELECT g.*, r.project_id, r.kind, r.generation = g.generation"
		"  AS current, r.status AS old_status, r.stage AS old_stage,"
		"  (r.cause_kind, r.cause_code) IS NOT DISTINCT FROM"
		"   (g.cause_kind, left(g.cause_code, 64)) AS same_cause,"
		"  g.cause_kind IS NULL AND 'ERROR' = ALL (ARRAY[g.status, r.status])"
		"   AND r.generation = g.generation AS keeps_cause"
		" FROM " GIVEN
		" JOIN resources r ON r.id = g.id AND r.lease_epoch = g.lease_epoch"
		"  AND r.leased_until IS NOT NULL"
		" FOR UPDATE OF r"
		/* A change during the lease does not cancel the backoff of a failure if another
		 * change has just done so; see sql/0028_stalls.sql. */
		"), yielded AS ("
		" UPDATE resources r SET leased_until = NULL, leased_by = NULL,"
		"  due_at = now() + CASE WHEN r.attempts > 0 AND h.cause_kind IS NOT NULL"
		"   AND r.due_at >= r.leased_until THEN h.due_in_ms ELSE 0 END"
		"   * interval '1 millisecond',"
		"  attempts = CASE WHEN r.attempts > 0 AND h.cause_kind IS NOT NULL"
		"   THEN h.attempts ELSE r.attempts END, took_ms = h.took_ms"
		" FROM held h WHERE r.id = h.id AND NOT h.current"
		"), recorded AS ("
		" UPDATE resources r SET leased_until = NULL, leased_by = NULL,"
		"  status = h.status, stage = h.stage, attempts = h.attempts,"
		"  took_ms = h.took_ms,"
		"  verify = r.verify AND h.cause_kind IS NOT NULL AND h.status <> 'RUNNING',"
		"  forced = r.forced AND h.status NOT IN ('RUNNING', 'STOPPED'),"
		"  due_at = CASE WHEN r.due_at < r.leased_until THEN now()"
		"   ELSE greatest(now() + h.due_in_ms * interval '1 millisecond',"
		"    CASE WHEN h.resync_ms > 0 THEN next_resync(r.user_id, h.resync_ms) END) END,"
		"  status_since = CASE WHEN h.status = r.status"
		"   THEN r.status_since ELSE now() END,"
		"  cause_kind = CASE WHEN h.keeps_cause THEN r.cause_kind ELSE h.cause_kind END,"
		"  cause_code = CASE WHEN h.keeps_cause THEN r.cause_code"
		"   ELSE left(h.cause_code, 64) END,"
		"  cause_message = CASE WHEN h.keeps_cause THEN r.cause_message"
		"   ELSE left(h.cause_message, 1024) END,"
		"  cause_since = CASE WHEN h.same_cause OR h.keeps_cause THEN r.cause_since"
		"   WHEN h.cause_kind IS NOT NULL THEN now() END,"
		"  warnings = CASE WHEN h.warnings IS NULL THEN r.warnings"
		"   ELSE told_warnings(h.warnings, r.warnings) END,"
		"  observed = coalesce(h.observed, r.observed),"
		"  updated_at = CASE WHEN h.status = r.status AND h.stage = r.stage"
		"   AND (h.same_cause OR h.keeps_cause) THEN r.updated_at ELSE now() END"
		" FROM held h WHERE r.id = h.id AND h.current AND NOT h.gone"
		"), removed AS ("
		" DELETE FROM resources r USING held h"
		" WHERE r.id = h.id AND h.current AND h.gone"
		"), connected AS ("
		" UPDATE databases d SET host = h.host, port = h.port,"
		"  database = h.database, username = h.username,"
		"  password_sealed = h.password_sealed, cluster_uid = h.cluster_uid"
		" FROM held h WHERE d.resource_id = h.id AND h.current AND NOT h.gone"
		"  AND (h.host IS NOT NULL OR h.disconnected)"
		/* What happened last stays what it was, unless something has happened since. */
		"), looked AS ("
		" UPDATE sandboxes s SET looked_at = now(),"
		"  activity = CASE WHEN s.active_at >= now() - (h.idle_s + 2) * interval '1 s'"
		"   AND h.idle_s > 0 THEN s.activity ELSE h.activity END,"
		"  active_at = greatest(s.active_at, now() - h.idle_s * interval '1 s')"
		" FROM held h WHERE s.resource_id = h.id AND h.current AND h.idle_s IS NOT NULL"
		"), logged AS ("
		" INSERT INTO crash_logs (resource_id, log_sealed)"
		" SELECT id, log_sealed FROM held"
		" WHERE current AND NOT gone AND log_sealed IS NOT NULL"
		" ON CONFLICT (resource_id) DO UPDATE"
		" SET log_sealed = excluded.log_sealed, read_at = now()"
		"), noted AS ("
		" INSERT INTO events (project_id, kind, resource_id, status, stage, code,"
		"  message)"
		" SELECT project_id, kind, id, status, stage, left(cause_code, 64),"
		/* Owners see events; details of our own failures are only for the operator. */
		"  CASE WHEN cause_kind <> 'INTERNAL' THEN left(cause_message, 1024) END"
		" FROM held WHERE current AND (status <> old_status"
		"  OR stage <> old_stage OR (cause_kind IS NOT NULL AND NOT same_cause))"
		") SELECT project_id, current AND (gone OR status <> old_status),"
		" current AND kind = 'DATABASE'"
		" AND (gone OR disconnected OR host IS NOT NULL OR status <> old_status),"
		" current AND gone FROM held" },
	[STATEMENT_WAKE] = { "queue_wake_sandboxes",
		"UPDATE resources r SET due_at = now()"
		" FROM jsonb_array_elements_text($1::jsonb) AS g (id)"
		" WHERE r.project_id = g.id::uuid AND r.kind = 'SANDBOX'"
		"  AND r.due_at > now()" },
	/* $1 row, $2 epoch, $3 form, $4 to $8 its connection, if any. */
	[STATEMENT_DECIDE_FORM] = { "queue_decide_form",
		"UPDATE databases d SET form = $3::database_form, host = coalesce($4, host),"
		"  port = coalesce($5, port), database = coalesce($6, database),"
		"  username = coalesce($7, username), password_sealed = coalesce($8, password_sealed)"
		" FROM resources r WHERE r.id = d.resource_id AND d.resource_id = $1"
		"  AND r.lease_epoch = $2::bigint AND r.leased_until IS NOT NULL RETURNING 1" },
};
/* clang-format on */

static json_t *result_json(const struct queue_result *result)
{
	bool cause = result->has_cause;

	return json_pack(
		"{s:s, s:I, s:I, s:b, s:s, s:s, s:o, s:o, s:o, s:i, s:I, s:b, s:o, s:o, s:o, s:o,"
		" s:o, s:o, s:I, s:O?, s:O?, s:I, s:o, s:o, s:o}",
		"id", result->id, "lease_epoch", (json_int_t)result->lease_epoch, "generation",
		(json_int_t)result->generation, "gone", (int)result->gone, "status",
		status_name(result->status), "stage", stage_name(result->stage), "cause_kind",
		store_json_text(cause ? result->cause_kind : NULL), "cause_code",
		store_json_text(cause ? result->cause_code : NULL), "cause_message",
		store_json_text(cause ? result->cause_message : NULL), "attempts",
		(int)result->attempts, "due_in_ms", (json_int_t)result->due_in_ms, "disconnected",
		(int)result->disconnected, "host", store_json_text(result->connection.host), "port",
		result->connection.host ? json_integer(result->connection.port) : json_null(),
		"database", store_json_text(result->connection.database), "username",
		store_json_text(result->connection.username), "cluster_uid",
		store_json_text(result->connection.cluster_uid), "password_sealed",
		store_json_bytes(result->connection.host ? result->connection.password_sealed
							 : NULL,
				 result->connection.password_sealed_length),
		"resync_ms", (json_int_t)result->resync_ms, "warnings", result->warnings,
		"observed", result->observed, "took_ms", (json_int_t)result->took_ms, "idle_s",
		result->looked ? json_integer((json_int_t)result->idle_s) : json_null(), "activity",
		store_json_text(result->looked ? result->activity : NULL), "log_sealed",
		store_json_bytes(result->log_sealed, result->log_sealed_length));
}

/* Returns the projects of recorded rows for which a column is true. */
static json_t *projects_where(const PGresult *r, enum recorded_column column)
{
	json_t *ids = json_array();

	for (int i = 0; i < db_rows(r); i++) {
		if (db_bool(r, i, (int)column))
			(void)json_array_append_new(
				ids, json_string(db_text(r, i, RECORDED_PROJECT_ID)));
	}
	return ids;
}

static int wake_sandboxes(struct db *tx, const json_t *project_ids, struct err *e)
{
	return db_query(tx, &statements[STATEMENT_WAKE], DB_ARGS(DB_JSON(project_ids)), NULL, e);
}

/* Updates the projects accordingly. */
static int settle(struct db *tx, const PGresult *recorded, struct err *e)
{
	CLEANUP(json_decrefp) json_t *changed = projects_where(recorded, RECORDED_SETTLES);
	CLEANUP(json_decrefp) json_t *woken = projects_where(recorded, RECORDED_WAKES);
	CLEANUP(json_decrefp) json_t *emptied = projects_where(recorded, RECORDED_EMPTIES);

	if (json_array_size(changed) > 0 && store_settle_projects(tx, changed, e) < 0)
		return -1;
	if (json_array_size(woken) > 0 && wake_sandboxes(tx, woken, e) < 0)
		return -1;
	return json_array_size(emptied) > 0 ? store_remove_projects(tx, emptied, e) : 0;
}

int queue_record(struct db *db, const struct queue_result *results, size_t count, size_t *ret_stale,
		 struct err *e)
{
	CLEANUP(db_rollback_guard) struct db *tx = NULL;
	CLEANUP(db_result_free) PGresult *recorded = NULL;
	CLEANUP(json_decrefp) json_t *given = json_array();

	for (size_t i = 0; i < count; i++)
		(void)json_array_append_new(given, result_json(&results[i]));
	const struct db_args *args = DB_ARGS(DB_JSON(given));
	if (db_begin(db, &tx, e) < 0 ||
	    db_query(tx, &statements[STATEMENT_LOCK], args, NULL, e) < 0 ||
	    db_query(tx, &statements[STATEMENT_RECORD], args, &recorded, e) < 0 ||
	    settle(tx, recorded, e) < 0 || db_commit(&tx, e) < 0)
		return -1;
	if (ret_stale != NULL)
		*ret_stale = count - (size_t)db_rows(recorded);
	return 0;
}

int queue_decide_form(struct db *db, struct queue_row *row, enum database_form form,
		      const struct queue_connection *connection, struct err *e)
{
	CLEANUP(db_result_free) PGresult *decided = NULL;
	bool connected = connection->host != NULL;
	const struct db_arg port = connected ? DB_INT(connection->port) : DB_TEXT(NULL);

	if (db_query(db, &statements[STATEMENT_DECIDE_FORM],
		     DB_ARGS(DB_TEXT(row->id), DB_INT(row->lease_epoch),
			     DB_TEXT(database_form_name(form)), DB_TEXT(connection->host), port,
			     DB_TEXT(connection->database), DB_TEXT(connection->username),
			     DB_BYTES(connection->password_sealed,
				      connection->password_sealed_length)),
		     &decided, e) < 0)
		return -1;
	if (db_rows(decided) == 0)
		return err_set(e, ERR_CONFLICT, "LEASE_LOST", "the row is another pass's by now");
	row->form = form;
	if (connected)
		row->connection = *connection;
	return 0;
}
