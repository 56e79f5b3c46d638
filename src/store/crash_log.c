#include "store/crash_log.h"

#include "store/internal.h"

/* SQL is laid out by hand. */
/* clang-format off */
static const struct db_statement find = { "crash_log_get",
	"SELECT iso8601(l.read_at), l.log_sealed FROM crash_logs l"
	" JOIN resources r ON r.id = l.resource_id WHERE r.user_id = $1 AND r.id = $2" };
/* clang-format on */

int crash_log_get(struct db *db, const char *user_id, const char *sandbox_id,
		  struct crash_log *ret_log, struct err *e)
{
	struct crash_log log = { .result = NULL };

	if (db_query(db, &find, DB_ARGS(DB_TEXT(user_id), DB_TEXT(sandbox_id)), &log.result, e) < 0)
		return -1;
	if (db_rows(log.result) > 0) {
		log.read_at = db_text(log.result, 0, 0);
		log.sealed = store_bytes(&log.decoded, log.result, 0, 1, &log.sealed_length);
	}
	*ret_log = log;
	return 0;
}

void crash_log_clear(struct crash_log *log)
{
	db_result_free(&log->result);
	store_bytes_free(&log->decoded);
	*log = (struct crash_log) { .result = NULL };
}
