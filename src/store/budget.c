#include "store/budget.h"

#include "base/cleanup.h"
#include "store/internal.h"

enum { MINUTE_US = 60000000 };

enum statement {
	STATEMENT_TAKE,
	STATEMENT_WAIT,
};

#define STEP  "$3::bigint * interval '1 microsecond'"
#define BURST "$4::bigint * interval '1 microsecond'"

/* SQL is laid out by hand. */
/* clang-format off */
static const struct db_statement statements[] = {
	/* The bucket is full at refilled_at; each change postpones that by a step. No row: the
	 * budget is used up. */
	[STATEMENT_TAKE] = { "budget_take",
		"INSERT INTO budgets AS b (user_id, kind, refilled_at)"
		" VALUES ($1, $2::smallint, now() + " STEP ")"
		" ON CONFLICT (user_id, kind) DO UPDATE"
		"  SET refilled_at = greatest(b.refilled_at, now()) + " STEP
		"  WHERE b.refilled_at + " STEP " <= now() + " BURST
		" RETURNING true" },
	[STATEMENT_WAIT] = { "budget_wait",
		"SELECT greatest(1, ceil(extract(epoch FROM"
		"  refilled_at + " STEP " - " BURST " - now())))::bigint"
		" FROM budgets WHERE user_id = $1 AND kind = $2::smallint" },
};
/* clang-format on */

static int refuse(struct db *db, const struct db_args *args, const struct budget_limit *limit,
		  struct err *e)
{
	CLEANUP(db_result_free) PGresult *r = NULL;

	if (db_query(db, &statements[STATEMENT_WAIT], args, &r, e) < 0)
		return -1;
	unsigned wait_s = db_rows(r) > 0 ? (unsigned)db_int(r, 0, 0) : 1;
	(void)err_set(e, ERR_RATE_LIMITED, "TOO_MANY_CHANGES",
		      "you have changed too much in a short time: try again in %u seconds (%llu "
		      "changes at once are all right, and %llu a minute after that)",
		      wait_s, (unsigned long long)limit->burst,
		      (unsigned long long)limit->per_minute);
	if (e != NULL)
		e->retry_after_s = wait_s;
	return -1;
}

int budget_take(struct db *db, const char *user_id, enum budget budget,
		const struct budget_limit *limit, struct err *e)
{
	CLEANUP(db_result_free) PGresult *r = NULL;
	int64_t step_us = (int64_t)(MINUTE_US / limit->per_minute);
	const struct db_args *args = DB_ARGS(DB_TEXT(user_id), DB_INT(budget), DB_INT(step_us),
					     DB_INT((int64_t)limit->burst * step_us));

	if (db_query(db, &statements[STATEMENT_TAKE], args, &r, e) < 0)
		return -1;
	return db_rows(r) > 0 ? 0 : refuse(db, args, limit, e);
}
