#include "store/image.h"

#include "base/cleanup.h"
#include "store/internal.h"

enum statement {
	STATEMENT_LIST,
	STATEMENT_SET,
	STATEMENT_REMOVE,
	STATEMENT_PATTERNS,
	STATEMENT_ALLOW,
	STATEMENT_DISALLOW,
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
	[STATEMENT_PATTERNS] = { "image_patterns",
		"SELECT pattern FROM image_patterns ORDER BY pattern" },
	[STATEMENT_ALLOW] = { "image_allow",
		"INSERT INTO image_patterns (pattern) VALUES ($1) ON CONFLICT DO NOTHING" },
	[STATEMENT_DISALLOW] = { "image_disallow",
		"DELETE FROM image_patterns WHERE pattern = $1 RETURNING pattern" },
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

static int remove_row(struct db *db, enum statement statement, const char *key, const char *code,
		      const char *what, struct err *e)
{
	CLEANUP(db_result_free) PGresult *removed = NULL;

	if (db_query(db, &statements[statement], DB_ARGS(DB_TEXT(key)), &removed, e) < 0)
		return -1;
	if (db_rows(removed) == 0)
		return err_set(e, ERR_NOT_FOUND, code, "there is no %s \"%s\"", what, key);
	return 0;
}

int image_remove(struct db *db, const char *name, struct err *e)
{
	return remove_row(db, STATEMENT_REMOVE, name, "IMAGE_NOT_FOUND", "image", e);
}

int image_patterns(struct db *db, json_t **ret_patterns, struct err *e)
{
	return store_rows(db, &statements[STATEMENT_PATTERNS], NULL, ret_patterns, e);
}

int image_allow(struct db *db, const char *pattern, struct err *e)
{
	return db_query(db, &statements[STATEMENT_ALLOW], DB_ARGS(DB_TEXT(pattern)), NULL, e);
}

int image_disallow(struct db *db, const char *pattern, struct err *e)
{
	return remove_row(db, STATEMENT_DISALLOW, pattern, "PATTERN_NOT_FOUND", "pattern", e);
}
