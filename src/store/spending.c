#include "store/spending.h"

#include "base/cleanup.h"
#include "store/internal.h"

/* SQL is laid out by hand. */
/* clang-format off */
/* Of what is owed a tenth of a second is remembered, so that whose API server has been mended is
 * soon out of debt. The lock on the pause is the last that is taken. */
#define OWED(before) "least(100000, greatest(0, " before " + s.charged_us - s.paid_us))"
static const struct db_statement record = { "spending_record",
	"WITH s AS (SELECT s.user_id, s.charged_us, s.paid_us"
	"  FROM jsonb_to_recordset($1::jsonb) AS s (user_id uuid, charged_us bigint, paid_us bigint)"
	"  JOIN users u ON u.id = s.user_id"
	"), known AS ("
	" UPDATE spending k SET charged_us = k.charged_us + s.charged_us,"
	"  owed_us = " OWED("CASE WHEN k.at > now() - interval '1 hour' THEN k.owed_us ELSE 0 END") ","
	"  at = CASE WHEN s.charged_us > 0 THEN now() ELSE k.at END"
	" FROM s WHERE k.user_id = s.user_id RETURNING k.user_id"
	"), new AS ("
	" INSERT INTO spending (user_id, owed_us, charged_us)"
	" SELECT user_id, " OWED("0") ", charged_us FROM s"
	"  WHERE user_id NOT IN (SELECT user_id FROM known)"
	" ON CONFLICT DO NOTHING"
	") UPDATE spending_pause SET until = least(now() + interval '15 minutes',"
	"  greatest(until, now()) + $2::bigint * interval '1 microsecond')"
	" WHERE $2::bigint > 0" };
/* clang-format on */

int spending_record(struct db *db, const struct spending *items, size_t count, uint64_t pause_us,
		    struct err *e)
{
	CLEANUP(json_decrefp) json_t *list = json_array();

	for (size_t i = 0; i < count; i++)
		(void)json_array_append_new(
			list, json_pack("{s:s, s:I, s:I}", "user_id", items[i].user_id,
					"charged_us", (json_int_t)items[i].charged_us, "paid_us",
					(json_int_t)items[i].paid_us));
	return db_query(db, &record, DB_ARGS(DB_JSON(list), DB_INT(pause_us)), NULL, e);
}
