#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

#include "base/json_write.h"
#include "db/internal.h"

enum { FORMAT_TEXT = 0, FORMAT_BINARY = 1 };

static void encode(const struct db_arg *arg, struct db_wire *w, int at)
{
	switch (arg->type) {
	case DB_ARG_TEXT:
		w->values[at] = arg->text;
		break;
	case DB_ARG_INT:
		(void)snprintf(w->numbers[at], sizeof(w->numbers[at]), "%" PRId64, arg->number);
		w->values[at] = w->numbers[at];
		break;
	case DB_ARG_BYTES:
		w->values[at] = arg->bytes;
		w->lengths[at] = (int)arg->length;
		w->formats[at] = FORMAT_BINARY;
		break;
	case DB_ARG_JSON:
		if (arg->json == NULL)
			break;
		w->dumps[at] = json_write(arg->json);
		w->values[at] = w->dumps[at];
		break;
	}
}

void db_wire_encode(const struct db_args *args, struct db_wire *ret_wire)
{
	size_t count = args != NULL ? args->count : 0;

	if (count > DB_ARGS_MAX)
		/* statements are constants, so the first test that runs one finds the mistake */
		abort();
	ret_wire->count = (int)count;
	for (int i = 0; i < ret_wire->count; i++) {
		ret_wire->values[i] = NULL;
		ret_wire->lengths[i] = 0;
		ret_wire->formats[i] = FORMAT_TEXT;
		ret_wire->dumps[i] = NULL;
		encode(&args->items[i], ret_wire, i);
	}
}

void db_wire_clear(struct db_wire *wire)
{
	for (int i = 0; i < wire->count; i++)
		free(wire->dumps[i]);
	wire->count = 0;
}

void db_result_free(PGresult **result)
{
	PQclear(*result);
	*result = NULL;
}

int db_rows(const PGresult *r)
{
	return PQntuples(r);
}

const char *db_text(const PGresult *r, int row, int column)
{
	return PQgetisnull(r, row, column) ? NULL : PQgetvalue(r, row, column);
}

int64_t db_int(const PGresult *r, int row, int column)
{
	const char *text = db_text(r, row, column);

	return text ? strtoll(text, NULL, 10) : 0;
}

bool db_bool(const PGresult *r, int row, int column)
{
	const char *text = db_text(r, row, column);

	return text != NULL && text[0] == 't';
}

uint8_t *db_bytes(const PGresult *r, int row, int column, size_t *ret_length)
{
	const char *text = db_text(r, row, column);
	size_t length = 0;

	*ret_length = 0;
	if (text == NULL)
		return NULL;
	unsigned char *decoded = PQunescapeBytea((const unsigned char *)text, &length);
	if (decoded == NULL)
		abort(); /* out of memory: it takes any text */
	/* Memory from libpq is freed with PQfreemem(), which on Linux is free(). */
	*ret_length = length;
	return decoded;
}
