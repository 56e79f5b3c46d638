#include "store/pass_host.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "store/internal.h"

enum statement {
	STATEMENT_ANNOUNCE,
	STATEMENT_IDLE,
	STATEMENT_LIST,
};

#define MS(interval) "(extract(epoch FROM " interval ") * 1000)::bigint"

/* SQL is laid out by hand. */
/* clang-format off */
static const struct db_statement statements[] = {
	/* The last part does not see what the other parts write, which does not matter: it is about
	 * other hosts. */
	[STATEMENT_ANNOUNCE] = { "pass_host_announce",
		"WITH gone AS ("
		" DELETE FROM pass_hosts WHERE last_pass_at < now() - interval '7 days'"
		"  AND host <> $1"
		"), here AS ("
		" INSERT INTO pass_hosts AS h (host, version, keys) VALUES ($1, $2, $3::jsonb)"
		" ON CONFLICT (host) DO UPDATE SET version = $2, keys = $3::jsonb,"
		"  last_pass_at = now()"
		" WHERE h.last_pass_at < now() - interval '2 seconds'"
		"  OR (h.version, h.keys) <> ($2::text, $3::jsonb)"
		") SELECT jsonb_agg(DISTINCT id.value) FROM pass_hosts h, jsonb_each(h.keys) AS ring,"
		"  jsonb_array_elements_text(ring.value) AS id"
		" WHERE h.host <> $1 AND h.last_pass_at > now() - $4::bigint * interval '1 millisecond'"
		"  AND NOT coalesce($3::jsonb -> ring.key ? id.value, false)" },
	[STATEMENT_IDLE] = { "pass_host_idle",
		"SELECT greatest(0, " MS("now() - coalesce((SELECT max(last_pass_at) FROM pass_hosts),"
		" (SELECT max(applied_at) FROM schema_migrations))") ")" },
	[STATEMENT_LIST] = { "pass_host_list",
		"SELECT host, version, keys, iso8601(last_pass_at) AS \"lastPassAt\","
		" greatest(0, " MS("now() - last_pass_at") ") AS \"ageMs\""
		" FROM pass_hosts ORDER BY host" },
};
/* clang-format on */

int pass_host_announce(struct db *db, const struct pass_host *host, char **ret_foreign,
		       struct err *e)
{
	CLEANUP(db_result_free) PGresult *r = NULL;

	if (db_query(db, &statements[STATEMENT_ANNOUNCE],
		     DB_ARGS(DB_TEXT(host->host), DB_TEXT(host->version), DB_JSON(host->keys),
			     DB_INT(PASS_HOST_LATE_MS)),
		     &r, e) < 0)
		return -1;
	const char *foreign = db_text(r, 0, 0);
	*ret_foreign = foreign != NULL ? mem_strdup(foreign) : NULL;
	return 0;
}

int pass_host_idle(struct db *db, uint64_t *ret_ms, struct err *e)
{
	CLEANUP(db_result_free) PGresult *r = NULL;

	if (db_query(db, &statements[STATEMENT_IDLE], NULL, &r, e) < 0)
		return -1;
	*ret_ms = (uint64_t)db_int(r, 0, 0);
	return 0;
}

int pass_host_list(struct db *db, json_t **ret_rows, struct err *e)
{
	return store_rows(db, &statements[STATEMENT_LIST], NULL, ret_rows, e);
}
