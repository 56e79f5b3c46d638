#include "store/audit.h"

#include "base/cleanup.h"
#include "store/internal.h"

static const struct db_statement statement_add = {
	"audit_add", "INSERT INTO audit (user_id, identity_id, action, object_type, object_id,"
		     " address, request_id, detail)"
		     " VALUES ($1, $2, $3, $4, $5, $6, $7, coalesce($8::jsonb, '{}'))"
};

/* The names of columns are members of what is shown. */
static const struct db_statement statement_list = {
	"audit_list",
	"SELECT a.id, iso8601(a.at) AS at, a.action, a.object_type AS \"objectType\","
	" a.object_id AS \"objectId\", host(a.address) AS address,"
	" a.request_id AS \"requestId\", i.provider, a.identity_id AS \"identityId\", a.detail"
	" FROM audit a LEFT JOIN identities i ON i.id = a.identity_id"
	" WHERE a.user_id = $1 AND ($2::bigint = 0 OR a.id < $2)"
	" ORDER BY a.id DESC LIMIT $3::bigint"
};

int audit_add(struct db *db, const struct audit_entry *entry, struct err *e)
{
	CLEANUP(cleanup_free) char *detail = NULL;
	struct db_params p = { 0 };

	db_add_text(&p, entry->user_id);
	db_add_text(&p, entry->identity_id);
	db_add_text(&p, entry->action);
	db_add_text(&p, entry->object_type);
	db_add_text(&p, entry->object_id);
	db_add_text(&p, entry->address);
	db_add_text(&p, entry->request_id);
	if (entry->detail != NULL)
		store_add_json(&p, entry->detail, &detail);
	else
		db_add_text(&p, NULL);
	return db_query(db, &statement_add, &p, NULL, e);
}

int audit_list(struct db *db, const char *user_id, int64_t before_id, unsigned limit,
	       json_t **ret_lines, struct err *e)
{
	struct db_params p = { 0 };

	db_add_text(&p, user_id);
	db_add_int(&p, before_id);
	db_add_int(&p, limit);
	return store_rows(db, &statement_list, &p, ret_lines, e);
}
