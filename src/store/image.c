#include "store/image.h"

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
	[STATEMENT_LIST] = { "image_list",
		"SELECT name, description, reference, complete, run_as AS \"runAs\""
		" FROM images ORDER BY name" },
	[STATEMENT_SET] = { "image_set",
		"INSERT INTO images (name, description, reference, complete, run_as)"
		" VALUES ($1, $2, $3, $4::boolean, nullif($5::bigint, 0))"
		" ON CONFLICT (name) DO UPDATE SET description = excluded.description,"
		"  reference = excluded.reference, complete = excluded.complete,"
		"  run_as = excluded.run_as" },
	[STATEMENT_REMOVE] = { "image_remove",
		"DELETE FROM images WHERE name = $1 RETURNING name" },
};
/* clang-format on */

int image_list(struct db *db, json_t **ret_images, struct err *e)
{
	return store_rows(db, &statements[STATEMENT_LIST], NULL, ret_images, e);
}

int image_set(struct db *db, const struct image *image, struct err *e)
{
	return db_query(db, &statements[STATEMENT_SET],
			DB_ARGS(DB_TEXT(image->name), DB_TEXT(image->description),
				DB_TEXT(image->reference), DB_BOOL(image->complete),
				DB_INT(image->run_as)),
			NULL, e);
}

int image_remove(struct db *db, const char *name, struct err *e)
{
	CLEANUP(db_result_free) PGresult *removed = NULL;

	if (db_query(db, &statements[STATEMENT_REMOVE], DB_ARGS(DB_TEXT(name)), &removed, e) < 0)
		return -1;
	if (db_rows(removed) == 0)
		return err_set(e, ERR_NOT_FOUND, "IMAGE_NOT_FOUND", "there is no image \"%s\"",
			       name);
	return 0;
}
