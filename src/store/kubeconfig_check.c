#include "store/kubeconfig_check.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "domain/cause.h"
#include "domain/finding.h"
#include "store/internal.h"

enum statement {
	STATEMENT_GET,
	STATEMENT_ASK,
	STATEMENT_CLAIM,
	STATEMENT_RECORD,
};

enum {
	COLUMN_CLUSTER,
	COLUMN_USER,
	COLUMN_GENERATION,
	COLUMN_EPOCH,
	COLUMN_SLOW,
	COLUMN_VERSION,
	COLUMN_SEALED
};

#define IS_FREE "c.due_at <= now() AND (c.leased_until IS NULL OR c.leased_until <= now())"
#define IS_SLOW "(c.took_ms >= 2000 OR " QUEUE_IS_IN_DEBT("c.user_id") ")"
#define DUE(which, limit)                                                                          \
	"(SELECT cluster_id FROM (SELECT c.*, k.sealed FROM cluster_checks c JOIN clusters k"      \
	" ON k.id = c.cluster_id) AS c WHERE " IS_FREE " AND " which " AND " STORE_NOT_HELD        \
	" AND " STORE_IN_SHARD("$5", "$6") " AND NOT coalesce($3::jsonb ? "                        \
					   "encode(substr(c.sealed, 5, 8), 'hex'), false)"         \
					   " ORDER BY c.due_at LIMIT " limit "::bigint)"

#define IS_KNOWN "(generation = $3 AND $4::jsonb IS NOT NULL)"

/* SQL is laid out by hand. */
/* clang-format off */
static const struct db_statement statements[] = {
	[STATEMENT_GET] = { "kubeconfig_check_get",
		"SELECT CASE WHEN due_at IS NULL THEN 'done'"
		"  WHEN leased_of = generation AND leased_until > now() THEN 'running'"
		"  ELSE 'pending' END, iso8601(checked_at), findings::text"
		" FROM cluster_checks WHERE cluster_id = $1" },
	[STATEMENT_ASK] = { "kubeconfig_check_ask",
		"SELECT check_cluster($1)" },
	/* $1 limit, $2 limit for slow ones, $3 foreign keys, $4 lease in ms, $5 and $6 the shard. */
	[STATEMENT_CLAIM] = { "kubeconfig_check_claim",
		"WITH picked AS MATERIALIZED (" DUE("NOT " IS_SLOW, "$1") " UNION ALL " DUE(IS_SLOW, "$2")
		"), free AS MATERIALIZED ("
		" SELECT c.cluster_id FROM cluster_checks c"
		" WHERE c.cluster_id = ANY (ARRAY(SELECT cluster_id FROM picked)) AND " IS_FREE
		" FOR UPDATE OF c SKIP LOCKED"
		"), claimed AS ("
		" UPDATE cluster_checks c SET lease_epoch = lease_epoch + 1, leased_of = generation,"
		"  begun_at = now(),"
		"  leased_until = now() + $4::bigint * interval '1 millisecond',"
		"  due_at = now() + $4::bigint * interval '1 millisecond'"
		" FROM free WHERE c.cluster_id = free.cluster_id RETURNING c.*"
		") SELECT c.cluster_id, c.user_id, c.generation, c.lease_epoch, " IS_SLOW ","
		" k.version, k.sealed"
		" FROM claimed c JOIN clusters k ON k.id = c.cluster_id" },
	/* $3 generation, $4 findings, $5 took ms. */
	[STATEMENT_RECORD] = { "kubeconfig_check_record",
		"UPDATE cluster_checks SET leased_until = NULL, took_ms = $5::bigint,"
		" findings = CASE WHEN " IS_KNOWN " THEN $4::jsonb ELSE findings END,"
		" checked_at = CASE WHEN " IS_KNOWN " THEN now() ELSE checked_at END,"
		" due_at = CASE WHEN " IS_KNOWN " THEN NULL WHEN generation <> $3 THEN due_at"
		"  ELSE now() + interval '5 seconds' END"
		" WHERE cluster_id = $1 AND lease_epoch = $2" },
};
/* clang-format on */

static json_t *text(const char *string)
{
	return string != NULL ? json_string(string) : json_null();
}

static const char *member(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name));
}

/* Adds the texts: those of a problem are its cause's. */
static void add_words(json_t *finding)
{
	const struct finding_text *words = finding_text_of(member(finding, "name"));
	const struct cause_text *cause =
		cause_text_of(member(finding, "kind"), member(finding, "code"));
	const char *status = member(finding, "status");
	const char *headline = words != NULL ? words->ok : NULL;

	if (status != NULL && strcmp(status, finding_status_name(FINDING_UNKNOWN)) == 0)
		headline = words != NULL ? words->unknown : NULL;
	else if (cause != NULL)
		headline = cause->headline;
	(void)json_object_set_new(finding, "headline", text(headline));
	(void)json_object_set_new(finding, "action", text(cause != NULL ? cause->action : NULL));
}

static json_t *findings_json(const char *stored)
{
	json_t *findings = stored != NULL ? json_loads(stored, 0, NULL) : NULL;
	size_t i;
	json_t *finding;

	if (findings == NULL)
		return json_array();
	json_array_foreach(findings, i, finding)
	{
		add_words(finding);
	}
	return findings;
}

int kubeconfig_check_get(struct db *db, const char *cluster_id, json_t **ret_check, struct err *e)
{
	CLEANUP(db_result_free) PGresult *r = NULL;

	*ret_check = NULL;
	if (db_query(db, &statements[STATEMENT_GET], DB_ARGS(DB_TEXT(cluster_id)), &r, e) < 0)
		return -1;
	if (db_rows(r) > 0)
		*ret_check = json_pack("{s:s, s:s?, s:o}", "state", db_text(r, 0, 0), "checkedAt",
				       db_text(r, 0, 1), "checks", findings_json(db_text(r, 0, 2)));
	return 0;
}

int kubeconfig_check_ask(struct db *db, const char *cluster_id, struct err *e)
{
	return db_query(db, &statements[STATEMENT_ASK], DB_ARGS(DB_TEXT(cluster_id)), NULL, e);
}

static void read_check(struct kubeconfig_checks *checks, int row)
{
	struct kubeconfig_check *check = &checks->items[row];
	const PGresult *r = checks->result;

	check->cluster_id = db_text(r, row, COLUMN_CLUSTER);
	check->user_id = db_text(r, row, COLUMN_USER);
	check->generation = db_int(r, row, COLUMN_GENERATION);
	check->lease_epoch = db_int(r, row, COLUMN_EPOCH);
	check->slow = db_bool(r, row, COLUMN_SLOW);
	check->version = db_int(r, row, COLUMN_VERSION);
	check->sealed = store_bytes(&checks->decoded, r, row, COLUMN_SEALED, &check->sealed_length);
}

int kubeconfig_check_claim(struct db *db, const struct kubeconfig_check_claim *claim,
			   struct kubeconfig_checks *ret_checks, struct err *e)
{
	struct kubeconfig_checks checks = { 0 };

	if (db_query(db, &statements[STATEMENT_CLAIM],
		     DB_ARGS(DB_INT(claim->limit), DB_INT(claim->slow_limit),
			     DB_TEXT(claim->foreign_keys), DB_INT(claim->lease_ms),
			     STORE_SHARD(&claim->shard)),
		     &checks.result, e) < 0)
		return -1;
	checks.count = (size_t)db_rows(checks.result);
	checks.items = mem_calloc(checks.count, sizeof(*checks.items));
	for (size_t i = 0; i < checks.count; i++)
		read_check(&checks, (int)i);
	*ret_checks = checks;
	return 0;
}

void kubeconfig_checks_clear(struct kubeconfig_checks *checks)
{
	store_bytes_free(&checks->decoded);
	db_result_free(&checks->result);
	free(checks->items);
	*checks = (struct kubeconfig_checks) { 0 };
}

int kubeconfig_check_record(struct db *db, const struct kubeconfig_check *check,
			    const json_t *findings, uint64_t took_ms, struct err *e)
{
	return db_query(db, &statements[STATEMENT_RECORD],
			DB_ARGS(DB_TEXT(check->cluster_id), DB_INT(check->lease_epoch),
				DB_INT(check->generation), DB_JSON(findings), DB_INT(took_ms)),
			NULL, e);
}
