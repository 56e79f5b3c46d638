#include "store/spending.h"

#include "base/cleanup.h"
#include "store/internal.h"

enum statement { STATEMENT_CHARGE, STATEMENT_PAUSE };

/* SQL is laid out by hand. */
/* clang-format off */
static const struct db_statement statements[] = {
	/* At most a tenth of a second of debt is kept, so that a user whose API server was repaired
	 * is soon out of debt. Users are locked in order, so that two hosts do not deadlock. */
	[STATEMENT_CHARGE] = { "spending_charge",
		"WITH s AS (SELECT s.user_id, s.charged_us, s.paid_us"
		"  FROM jsonb_to_recordset($1::jsonb) AS s (user_id uuid, charged_us bigint, paid_us bigint)"
		"  JOIN users u ON u.id = s.user_id"
		") INSERT INTO spending AS k (user_id, owed_us, charged_us)"
		" SELECT user_id, least(100000, greatest(0, charged_us - paid_us)), charged_us"
		"  FROM s ORDER BY user_id"
		" ON CONFLICT (user_id) DO UPDATE SET charged_us = k.charged_us + EXCLUDED.charged_us,"
		"  owed_us = least(100000, greatest(0,"
		"   CASE WHEN k.at > now() - interval '1 hour' THEN k.owed_us ELSE 0 END"
		"   + EXCLUDED.charged_us - (SELECT s.paid_us FROM s WHERE s.user_id = k.user_id))),"
		"  at = CASE WHEN EXCLUDED.charged_us > 0 THEN now() ELSE k.at END" },
	[STATEMENT_PAUSE] = { "spending_pause",
		"UPDATE spending_pause SET until = least(now() + interval '15 minutes',"
		" greatest(until, now()) + $1::bigint * interval '1 microsecond')" },
};
/* clang-format on */

static json_t *list_of(const struct spending *items, size_t count)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++)
		(void)json_array_append_new(
			list, json_pack("{s:s, s:I, s:I}", "user_id", items[i].user_id,
					"charged_us", (json_int_t)items[i].charged_us, "paid_us",
					(json_int_t)items[i].paid_us));
	return list;
}

static int record(struct db *db, const json_t *list, uint64_t pause_us, struct err *e)
{
	CLEANUP(db_rollback_guard) struct db *tx = NULL;

	if (db_begin(db, &tx, e) < 0 ||
	    db_query(tx, &statements[STATEMENT_CHARGE], DB_ARGS(DB_JSON(list)), NULL, e) < 0)
		return -1;
	/* The pause comes last: whoever holds its row keeps all other shards waiting, and so must
	 * not wait for a user's row meanwhile. */
	if (pause_us > 0 &&
	    db_query(tx, &statements[STATEMENT_PAUSE], DB_ARGS(DB_INT(pause_us)), NULL, e) < 0)
		return -1;
	return db_commit(&tx, e);
}

int spending_record(struct db *db, const struct spending *items, size_t count, uint64_t pause_us,
		    struct err *e)
{
	CLEANUP(json_decrefp) json_t *list = list_of(items, count);
	int result = record(db, list, pause_us, e);

	/* A user who was there when the statement began has been deleted before it could refer to
	 * them: the next one passes them over. */
	for (size_t i = 0; result < 0 && e->kind == ERR_INVALID && i < count; i++)
		result = record(db, list, pause_us, e);
	return result;
}
