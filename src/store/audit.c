#include "store/audit.h"

#include "store/internal.h"

static const struct db_statement statement_add = {
	"audit_add", "INSERT INTO audit (user_id, identity_id, action, object_type, object_id,"
		     " address, request_id, detail, owner_id)"
		     " VALUES ($1, $2, $3, $4, $5, $6, $7, coalesce($8::jsonb, '{}'), $9)"
};

/* SQL is laid out by hand. */
/* clang-format off */
/* The newest lines by one of two indexes. */
#define LINES(column)                                                                              \
	"(SELECT * FROM audit WHERE " column " = $1 AND ($2::bigint = 0 OR id < $2)"               \
	" ORDER BY id DESC LIMIT $3::bigint)"
#define OWN(value) "CASE WHEN a.user_id = $1 THEN " value " END"

/* The names of columns are members of what is shown. */
static const struct db_statement statement_list = {
	"audit_list",
	"SELECT a.id, iso8601(a.at) AS at, a.action, a.object_type AS \"objectType\","
	" a.object_id AS \"objectId\", CASE WHEN a.user_id IS DISTINCT FROM $1 THEN"
	"  coalesce((SELECT name FROM users WHERE id = a.user_id), '') END AS by,"
	" " OWN("host(a.address)") " AS address, a.request_id AS \"requestId\","
	" " OWN("i.provider") " AS provider, " OWN("a.identity_id") " AS \"identityId\", a.detail"
	" FROM (" LINES("user_id") " UNION ALL " LINES("owner_id") ") a"
	" LEFT JOIN identities i ON i.id = a.identity_id"
	" ORDER BY a.id DESC LIMIT $3::bigint"
};
/* clang-format on */

int audit_add(struct db *db, const struct audit_entry *entry, struct err *e)
{
	return db_query(db, &statement_add,
			DB_ARGS(DB_TEXT(entry->user_id), DB_TEXT(entry->identity_id),
				DB_TEXT(entry->action), DB_TEXT(entry->object_type),
				DB_TEXT(entry->object_id), DB_TEXT(entry->address),
				DB_TEXT(entry->request_id), DB_JSON(entry->detail),
				DB_TEXT(entry->owner_id)),
			NULL, e);
}

int audit_list(struct db *db, const char *user_id, int64_t before_id, unsigned limit,
	       json_t **ret_lines, struct err *e)
{
	return store_rows(db, &statement_list,
			  DB_ARGS(DB_TEXT(user_id), DB_INT(before_id), DB_INT(limit)), ret_lines,
			  e);
}
