#include "store/host_health.h"

#include "store/internal.h"

enum statement {
	STATEMENT_RECORD,
	STATEMENT_LIST,
};

/* SQL is laid out by hand. The names of columns are members of what is shown. */
/* clang-format off */
static const struct db_statement statements[] = {
	[STATEMENT_RECORD] = { "host_health_record",
		"WITH gone AS ("
		" DELETE FROM host_health WHERE checked_at < now() - interval '30 days'"
		"  AND host <> $1"
		") INSERT INTO host_health (host, findings, in_order)"
		" VALUES ($1, $2::jsonb, $3::bigint)"
		" ON CONFLICT (host) DO UPDATE SET findings = excluded.findings,"
		"  in_order = excluded.in_order, checked_at = now()" },
	[STATEMENT_LIST] = { "host_health_list",
		"SELECT host, iso8601(checked_at) AS \"checkedAt\", in_order AS \"inOrder\","
		" findings FROM host_health ORDER BY host" },
};
/* clang-format on */

int host_health_record(struct db *db, const char *host, json_t *findings, size_t in_order,
		       struct err *e)
{
	return db_query(db, &statements[STATEMENT_RECORD],
			DB_ARGS(DB_TEXT(host), DB_JSON(findings), DB_INT((int64_t)in_order)), NULL,
			e);
}

int host_health_list(struct db *db, json_t **ret_rows, struct err *e)
{
	return store_rows(db, &statements[STATEMENT_LIST], NULL, ret_rows, e);
}
