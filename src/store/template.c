#include "store/template.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "store/internal.h"

enum set_column { SET_HAS_IMAGE, SET_HAS_SIZE };

enum statement {
	STATEMENT_LIST,
	STATEMENT_SET,
	STATEMENT_REMOVE,
};

/* SQL is laid out by hand. The names of columns are members of what is shown. */
/* clang-format off */
static const struct db_statement statements[] = {
	[STATEMENT_LIST] = { "template_list",
		"SELECT name, description, image, size, to_jsonb(ports) AS ports, variables"
		" FROM templates WHERE $1::text IS NULL OR name = $1 ORDER BY name" },
	[STATEMENT_SET] = { "template_set",
		"WITH known AS (SELECT $3::text IS NULL OR is_allowed_image($3)"
		"  OR EXISTS (SELECT FROM images WHERE name = $3) AS image,"
		"  $4::text IS NULL OR EXISTS (SELECT FROM sizes WHERE name = $4) AS size"
		"), made AS ("
		" INSERT INTO templates (name, description, image, size, ports, variables)"
		" SELECT $1, $2, $3, $4,"
		"  ARRAY(SELECT jsonb_array_elements_text($5::jsonb)::integer), $6::jsonb"
		" FROM known k WHERE k.image AND k.size"
		" ON CONFLICT (name) DO UPDATE SET description = excluded.description,"
		"  image = excluded.image, size = excluded.size, ports = excluded.ports,"
		"  variables = excluded.variables"
		") SELECT image, size FROM known" },
	[STATEMENT_REMOVE] = { "template_remove",
		"DELETE FROM templates WHERE name = $1 RETURNING name" },
};
/* clang-format on */

int template_list(struct db *db, json_t **ret_templates, struct err *e)
{
	return store_rows(db, &statements[STATEMENT_LIST], DB_ARGS(DB_TEXT(NULL)), ret_templates,
			  e);
}

int template_get(struct db *db, const char *name, json_t **ret_template, struct err *e)
{
	CLEANUP(json_decrefp) json_t *found = NULL;

	if (store_rows(db, &statements[STATEMENT_LIST], DB_ARGS(DB_TEXT(name)), &found, e) < 0)
		return -1;
	if (json_array_size(found) == 0)
		return err_set(e, ERR_UNPROCESSABLE, "TEMPLATE_UNKNOWN",
			       "There is no template \"%s\": choose one of /api/templates", name);
	*ret_template = json_incref(json_array_get(found, 0));
	return 0;
}

int template_set(struct db *db, const struct template *template, struct err *e)
{
	CLEANUP(db_result_free) PGresult *set = NULL;
	CLEANUP(cleanup_free) char *ports = json_dumps(template->ports, JSON_COMPACT);
	CLEANUP(cleanup_free) char *variables = json_dumps(template->variables, JSON_COMPACT);

	if (db_query(db, &statements[STATEMENT_SET],
		     DB_ARGS(DB_TEXT(template->name), DB_TEXT(template->description),
			     DB_TEXT(template->image), DB_TEXT(template->size), DB_TEXT(ports),
			     DB_TEXT(variables)),
		     &set, e) < 0)
		return -1;
	if (!db_bool(set, 0, SET_HAS_IMAGE))
		return err_set(e, ERR_UNPROCESSABLE, "IMAGE_UNKNOWN", "there is no image \"%s\"",
			       template->image);
	if (!db_bool(set, 0, SET_HAS_SIZE))
		return err_set(e, ERR_UNPROCESSABLE, "SIZE_UNKNOWN", "there is no size \"%s\"",
			       template->size);
	return 0;
}

int template_remove(struct db *db, const char *name, struct err *e)
{
	CLEANUP(db_result_free) PGresult *removed = NULL;

	if (db_query(db, &statements[STATEMENT_REMOVE], DB_ARGS(DB_TEXT(name)), &removed, e) < 0)
		return -1;
	if (db_rows(removed) == 0)
		return err_set(e, ERR_NOT_FOUND, "TEMPLATE_NOT_FOUND",
			       "there is no template \"%s\"", name);
	return 0;
}
