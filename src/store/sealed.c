#include "store/sealed.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "store/contexts.h"
#include "store/internal.h"

/* X(ring, table, column, first row's key, type of the key, key, context): the key identifies and
 * orders rows. Sealed values begin with four bytes for the form and eight for the key's id. */
#define NO_UUID "00000000-0000-0000-0000-000000000000"
/* PostgreSQL's format() accepts the formats of contexts.h, like printf(). */
#define CONTEXT(form, of) "format('" form "', " of ")"
#define OF_USER           "user_id::text || ':' || key"
#define PLACES(X)                                                                                  \
	X("cluster", "clusters", "sealed", NO_UUID, "uuid", "id",                                  \
	  CONTEXT(CONTEXT_KUBECONFIG, "id"))                                                       \
	X("cluster", "identities", "token_sealed", NO_UUID, "uuid", "id",                          \
	  CONTEXT(CONTEXT_IDENTITY, "provider, provider_user_id"))                                 \
	X("owner", "sandboxes", "terminal_token_sealed", NO_UUID, "uuid", "resource_id",           \
	  CONTEXT(CONTEXT_TERMINAL, "resource_id"))                                                \
	X("owner", "sandboxes", "request_env_sealed", NO_UUID, "uuid", "resource_id",              \
	  CONTEXT(CONTEXT_REQUEST_ENV, "resource_id"))                                             \
	X("owner", "databases", "password_sealed", NO_UUID, "uuid", "resource_id",                 \
	  CONTEXT(CONTEXT_DATABASE, "resource_id"))                                                \
	X("owner", "crash_logs", "log_sealed", NO_UUID, "uuid", "resource_id",                     \
	  CONTEXT(CONTEXT_CRASH_LOG, "resource_id"))                                               \
	X("owner", "environment", "value_sealed", NO_UUID, "uuid", "id",                           \
	  CONTEXT(CONTEXT_ENVIRONMENT, "project_id, key"))                                         \
	X("owner", "user_config", "value_sealed", "", "text", OF_USER,                             \
	  CONTEXT(CONTEXT_SETTING, "user_id, key"))                                                \
	X("owner", "idempotency", "body_sealed", "", "text", OF_USER,                              \
	  CONTEXT(CONTEXT_ANSWER, "user_id, key"))

#define PLACE(ring, table, column, first, type, key, context) { ring, table "." column },
const struct sealed_place sealed_places[] = { PLACES(PLACE) };
const size_t sealed_place_count = ARRAY_SIZE(sealed_places);

#define STATEMENTS(ring, table, column, first, type, key, context)                                 \
	{ first,                                                                                   \
	  { "sealed_count_" table "_" column,                                                      \
	    "SELECT CASE WHEN substr(" column ", 1, 3) = 'FSA'"                                    \
	    " THEN encode(substr(" column ", 5, 8), 'hex') ELSE '' END, count(*)"                  \
	    " FROM " table " WHERE " column " IS NOT NULL GROUP BY 1" },                           \
	  { "sealed_find_" table "_" column,                                                       \
	    "SELECT (" key ")::text, " context ", " column " FROM " table " WHERE " column         \
	    " IS NOT NULL AND (substr(" column ", 5, 8) <> $1"                                     \
	    "  OR substr(" column ", 1, 4) <> CASE '" ring "' WHEN 'owner' THEN 'FSA2'::bytea"     \
	    "   ELSE 'FSA1' END)"                                                                  \
	    " AND (" key ") > $2::" type " ORDER BY (" key ") LIMIT $3::integer" },                \
	  { "sealed_replace_" table "_" column,                                                    \
	    "UPDATE " table " SET " column " = $3"                                                 \
	    " WHERE (" key ") = $1::" type " AND " column " = $2" } },

static const struct {
	const char *first;
	struct db_statement count, find, replace;
} statements[] = { PLACES(STATEMENTS) };

int sealed_count(struct db *db, size_t place, json_t *counts, struct err *e)
{
	CLEANUP(db_result_free) PGresult *r = NULL;

	if (db_query(db, &statements[place].count, NULL, &r, e) < 0)
		return -1;
	for (int i = 0; i < db_rows(r); i++) {
		const char *id = db_text(r, i, 0);
		json_int_t before = json_integer_value(json_object_get(counts, id));
		(void)json_object_set_new(counts, id, json_integer(before + db_int(r, i, 1)));
	}
	return 0;
}

int sealed_find(struct db *db, size_t place, const uint8_t key_id[SEALED_KEY_ID_BYTES],
		const char *after, struct sealed_rows *ret_rows, struct err *e)
{
	CLEANUP(sealed_rows_clear) struct sealed_rows rows = { .count = 0 };

	if (db_query(db, &statements[place].find,
		     DB_ARGS(DB_BYTES(key_id, SEALED_KEY_ID_BYTES),
			     DB_TEXT(after ? after : statements[place].first),
			     DB_INT(SEALED_BATCH)),
		     &rows.result, e) < 0)
		return -1;
	rows.count = (size_t)db_rows(rows.result);
	rows.items = mem_calloc(rows.count, sizeof(*rows.items));
	for (int i = 0; i < (int)rows.count; i++) {
		struct sealed_value *value = &rows.items[i];
		value->row = db_text(rows.result, i, 0);
		value->context = db_text(rows.result, i, 1);
		value->sealed = store_bytes(&rows.decoded, rows.result, i, 2, &value->length);
	}
	*ret_rows = STEAL_STRUCT(rows);
	return 0;
}

void sealed_rows_clear(struct sealed_rows *rows)
{
	db_result_free(&rows->result);
	store_bytes_free(&rows->decoded);
	free(rows->items);
	*rows = (struct sealed_rows) { .count = 0 };
}

int sealed_replace(struct db *db, size_t place, const struct sealed_value *old, const void *sealed,
		   size_t length, struct err *e)
{
	return db_query(db, &statements[place].replace,
			DB_ARGS(DB_TEXT(old->row), DB_BYTES(old->sealed, old->length),
				DB_BYTES(sealed, length)),
			NULL, e);
}
