#include "store/audit.h"

#include "base/cleanup.h"
#include "store/internal.h"

static const struct db_statement statement_add = {
	"audit_add", "INSERT INTO audit (user_id, identity_id, action, object_type, object_id,"
		     " address, request_id, detail)"
		     " VALUES ($1, $2, $3, $4, $5, $6, $7, coalesce($8::jsonb, '{}'))"
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
