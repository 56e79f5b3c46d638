#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/parse.h"
#include "store/internal.h"

struct bytes {
	struct bytes *next;
	uint8_t *data;
};

const void *store_bytes(void **decoded, const PGresult *r, int row, int column, size_t *ret_length)
{
	uint8_t *data = db_bytes(r, row, column, ret_length);
	if (data == NULL)
		return NULL;
	struct bytes *bytes = mem_calloc(1, sizeof(*bytes));

	bytes->data = data;
	bytes->next = *decoded;
	*decoded = bytes;
	return data;
}

void store_bytes_free(void **decoded)
{
	struct bytes *bytes = *decoded;

	while (bytes != NULL) {
		struct bytes *next = bytes->next;
		free(bytes->data);
		free(bytes);
		bytes = next;
	}
	*decoded = NULL;
}

static int unknown_word(const char *type, const char *word, struct err *e)
{
	return err_set(e, ERR_INTERNAL, NULL, "the database has an unknown %s \"%s\"", type,
		       word ? word : "");
}

int store_status(const PGresult *r, int row, int column, enum status *ret_status, struct err *e)
{
	const char *word = db_text(r, row, column);

	return word && status_parse(word, ret_status) ? 0 : unknown_word("status", word, e);
}

int store_desired(const PGresult *r, int row, int column, enum desired *ret_desired, struct err *e)
{
	const char *word = db_text(r, row, column);

	return word && desired_parse(word, ret_desired) ? 0 : unknown_word("desired", word, e);
}

int store_stage(const PGresult *r, int row, int column, enum stage *ret_stage, struct err *e)
{
	const char *word = db_text(r, row, column);

	return word && stage_parse(word, ret_stage) ? 0 : unknown_word("stage", word, e);
}

int store_form(const PGresult *r, int row, int column, enum database_form *ret_form, struct err *e)
{
	const char *word = db_text(r, row, column);

	return word && database_form_parse(word, ret_form) ? 0
							   : unknown_word("database_form", word, e);
}

int store_kind(const PGresult *r, int row, int column, enum resource_kind *ret_kind, struct err *e)
{
	const char *word = db_text(r, row, column);

	return word && resource_kind_parse(word, ret_kind) ? 0
							   : unknown_word("resource_kind", word, e);
}

json_t *store_json_bytes(const void *bytes, size_t length)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *b = bytes;

	if (bytes == NULL)
		return json_null();
	char *hex = mem_calloc(2 + 2 * length, 1);
	hex[0] = '\\';
	hex[1] = 'x';
	for (size_t i = 0; i < length; i++) {
		hex[2 + 2 * i] = digits[b[i] >> 4];
		hex[3 + 2 * i] = digits[b[i] & 15];
	}
	json_t *json = json_stringn_nocheck(hex, 2 + 2 * length);
	free(hex);
	return json;
}

json_t *store_json_text(const char *text)
{
	if (text == NULL)
		return json_null();
	if (parse_is_utf8(text, strlen(text)))
		return json_string_nocheck(text);
	/* A message from outside: its ASCII part is better than nothing. */
	char *ascii = mem_strdup(text);
	for (char *c = ascii; *c != '\0'; c++) {
		if ((unsigned char)*c >= 0x80)
			*c = '?';
	}
	json_t *json = json_string_nocheck(ascii);
	free(ascii);
	return json;
}

/* From pg_type.dat: the types that correspond to types of JSON. */
enum { OID_BOOL = 16, OID_INT8 = 20, OID_INT4 = 23, OID_JSONB = 3802 };

static json_t *value_json(const PGresult *r, int row, int column)
{
	const char *text = db_text(r, row, column);

	if (text == NULL)
		return json_null();
	switch (PQftype(r, column)) {
	case OID_BOOL:
		return json_boolean(db_bool(r, row, column));
	case OID_INT4:
	case OID_INT8:
		return json_integer(db_int(r, row, column));
	case OID_JSONB:
		return json_loads(text, JSON_DECODE_ANY, NULL);
	default:
		return store_json_text(text);
	}
}

int store_rows(struct db *db, const struct db_statement *statement, const struct db_args *args,
	       json_t **ret_rows, struct err *e)
{
	CLEANUP(db_result_free) PGresult *r = NULL;

	if (db_query(db, statement, args, &r, e) < 0)
		return -1;
	json_t *rows = json_array();
	for (int i = 0; i < db_rows(r); i++) {
		json_t *row = json_object();
		for (int column = 0; column < PQnfields(r); column++)
			(void)json_object_set_new(row, PQfname(r, column),
						  value_json(r, i, column));
		(void)json_array_append_new(rows, row);
	}
	*ret_rows = rows;
	return 0;
}

int store_ambiguous(const char *what, const char *name, const PGresult *r, struct err *e)
{
	CLEANUP(cleanup_free) char *ids = mem_strdup("");

	for (int i = 0; i < db_rows(r); i++) {
		char *longer = mem_printf("%s %s", ids, db_text(r, i, 0));
		free(ids);
		ids = longer;
	}
	return err_set(e, ERR_CONFLICT, "AMBIGUOUS", "several %s are called \"%s\", give an id:%s",
		       what, name, ids);
}
