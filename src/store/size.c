#include "store/size.h"

#include "base/cleanup.h"
#include "store/internal.h"

enum statement {
	STATEMENT_LIST,
	STATEMENT_SET,
	STATEMENT_REMOVE,
};

/* SQL is laid out by hand. The names of columns are members of what is shown. */
/* clang-format off */
static const struct db_statement statements[] = {
	[STATEMENT_LIST] = { "size_list",
		"SELECT name, description,"
		" cpu_request AS \"cpuRequest\", cpu_limit AS \"cpuLimit\","
		" memory_request AS \"memoryRequest\", memory_limit AS \"memoryLimit\","
		" storage_limit AS \"storageLimit\""
		" FROM sizes ORDER BY name" },
	[STATEMENT_SET] = { "size_set",
		"INSERT INTO sizes (name, description, cpu_request, cpu_limit, memory_request,"
		"  memory_limit, storage_limit) VALUES ($1, $2, $3, $4, $5, $6, $7)"
		" ON CONFLICT (name) DO UPDATE SET description = excluded.description,"
		"  cpu_request = excluded.cpu_request, cpu_limit = excluded.cpu_limit,"
		"  memory_request = excluded.memory_request,"
		"  memory_limit = excluded.memory_limit,"
		"  storage_limit = excluded.storage_limit" },
	[STATEMENT_REMOVE] = { "size_remove", "DELETE FROM sizes WHERE name = $1 RETURNING name" },
};
/* clang-format on */

int size_list(struct db *db, json_t **ret_sizes, struct err *e)
{
	return store_rows(db, &statements[STATEMENT_LIST], NULL, ret_sizes, e);
}

int size_set(struct db *db, const struct size *s, struct err *e)
{
	return db_query(db, &statements[STATEMENT_SET],
			DB_ARGS(DB_TEXT(s->name), DB_TEXT(s->description), DB_TEXT(s->cpu_request),
				DB_TEXT(s->cpu_limit), DB_TEXT(s->memory_request),
				DB_TEXT(s->memory_limit), DB_TEXT(s->storage_limit)),
			NULL, e);
}

int size_remove(struct db *db, const char *name, struct err *e)
{
	CLEANUP(db_result_free) PGresult *removed = NULL;

	if (db_query(db, &statements[STATEMENT_REMOVE], DB_ARGS(DB_TEXT(name)), &removed, e) < 0)
		return -1;
	if (db_rows(removed) == 0)
		return err_set(e, ERR_NOT_FOUND, "SIZE_NOT_FOUND", "there is no size \"%s\"", name);
	return 0;
}
