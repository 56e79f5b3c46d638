#include "store/shard.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "store/internal.h"

enum { CHARGE_FIRST_MS = 15000, CHARGE_LAST_MS = 15 * 60000 };

#define LEASE_COLUMNS(X)                                                                           \
	X(LEASE_ID, "r.id")                                                                        \
	X(LEASE_USER_ID, "r.user_id")                                                              \
	X(LEASE_EPOCH, "r.lease_epoch")                                                            \
	X(LEASE_GENERATION, "r.generation")                                                        \
	X(LEASE_DESIRED, "r.desired")                                                              \
	X(LEASE_STATUS, "r.status")                                                                \
	X(LEASE_STATUS_AGE_MS,                                                                     \
	  "greatest(0, (extract(epoch FROM now() - r.status_since) * 1000)::bigint)")              \
	X(LEASE_STAGE, "r.stage")                                                                  \
	X(LEASE_ATTEMPTS, "r.attempts")

enum lease_column { COLUMN_NONE, LEASE_COLUMNS(STORE_COLUMN_ENUM) };

enum statement { STATEMENT_DUE, STATEMENT_LEASES, STATEMENT_CHARGE };

/* SQL is laid out by hand. */
/* clang-format off */
static const struct db_statement statements[] = {
	[STATEMENT_DUE] = { "shard_due",
		"SELECT shard FROM generate_series(0, $1::integer - 1) AS shard"
		" WHERE EXISTS (SELECT FROM resources WHERE " STORE_IS_FREE " AND " STORE_NOT_HELD
		"  AND " STORE_IN_SHARD("shard", "$1")
		"  AND (cause_kind IS NULL OR NOT $2::boolean))"
		" OR (NOT $2::boolean AND EXISTS (SELECT FROM cluster_checks"
		"  WHERE " STORE_IS_FREE " AND " STORE_NOT_HELD
		"  AND " STORE_IN_SHARD("shard", "$1") "))" },
	[STATEMENT_LEASES] = { "shard_leases",
		STORE_SELECT(LEASE_COLUMNS) "FROM resources r"
		" WHERE r.leased_until IS NOT NULL AND r.leased_by = $1 ORDER BY r.id" },
	[STATEMENT_CHARGE] = { "shard_charge",
		"INSERT INTO stalls AS s (user_id, until)"
		" SELECT id, now() + $2::bigint * interval '1 millisecond' FROM users WHERE id = $1"
		" ON CONFLICT (user_id) DO UPDATE SET at = now(),"
		"  count = CASE WHEN s.at < now() - interval '1 day' THEN 1"
		"   ELSE least(s.count + 1, 30) END,"
		"  until = now() + interval '1 millisecond' * CASE"
		"   WHEN s.at < now() - interval '1 day' THEN $2::bigint"
		"   ELSE least($3::bigint, $2::bigint * 2 ^ least(s.count, 30)) END"
		" RETURNING (extract(epoch FROM until - now()) * 1000)::bigint" },
};
/* clang-format on */

int shard_find_due(struct db *db, unsigned count, bool only_well, bool *due, struct err *e)
{
	CLEANUP(db_result_free) PGresult *r = NULL;

	if (db_query(db, &statements[STATEMENT_DUE], DB_ARGS(DB_INT(count), DB_BOOL(only_well)), &r,
		     e) < 0)
		return -1;
	for (unsigned i = 0; i < count; i++)
		due[i] = false;
	for (int i = 0; i < db_rows(r); i++)
		due[db_int(r, i, 0)] = true;
	return 0;
}

static int read_lease(const PGresult *r, int i, struct shard_lease *lease, struct err *e)
{
	*lease = (struct shard_lease) {
		.id = db_text(r, i, LEASE_ID),
		.user_id = db_text(r, i, LEASE_USER_ID),
		.lease_epoch = db_int(r, i, LEASE_EPOCH),
		.generation = db_int(r, i, LEASE_GENERATION),
		.status_age_ms = (uint64_t)db_int(r, i, LEASE_STATUS_AGE_MS),
		.attempts = (unsigned)db_int(r, i, LEASE_ATTEMPTS),
	};
	if (store_desired(r, i, LEASE_DESIRED, &lease->desired, e) < 0 ||
	    store_status(r, i, LEASE_STATUS, &lease->status, e) < 0)
		return -1;
	return store_stage(r, i, LEASE_STAGE, &lease->stage, e);
}

int shard_find_leases(struct db *db, const char *worker, struct shard_leases *ret_leases,
		      struct err *e)
{
	CLEANUP(shard_leases_clear) struct shard_leases leases = { 0 };

	if (db_query(db, &statements[STATEMENT_LEASES], DB_ARGS(DB_TEXT(worker)), &leases.result,
		     e) < 0)
		return -1;
	leases.count = (size_t)db_rows(leases.result);
	leases.items = mem_calloc(leases.count, sizeof(*leases.items));
	for (size_t i = 0; i < leases.count; i++) {
		if (read_lease(leases.result, (int)i, &leases.items[i], e) < 0)
			return -1;
	}
	*ret_leases = STEAL_STRUCT(leases);
	return 0;
}

void shard_leases_clear(struct shard_leases *leases)
{
	db_result_free(&leases->result);
	free(leases->items);
	*leases = (struct shard_leases) { 0 };
}

int shard_charge(struct db *db, const char *user_id, uint64_t *ret_ms, struct err *e)
{
	CLEANUP(db_result_free) PGresult *r = NULL;

	if (db_query(db, &statements[STATEMENT_CHARGE],
		     DB_ARGS(DB_TEXT(user_id), DB_INT(CHARGE_FIRST_MS), DB_INT(CHARGE_LAST_MS)), &r,
		     e) < 0)
		return -1;
	if (db_rows(r) == 0)
		return err_set(e, ERR_NOT_FOUND, NULL, "there is no such user any more");
	*ret_ms = (uint64_t)db_int(r, 0, 0);
	return 0;
}
