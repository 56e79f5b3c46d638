#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/db.h"

enum { FORMAT_TEXT = 0, FORMAT_BINARY = 1 };

static void add(struct db_params *p, const char *value, int length, int format)
{
	if (p->count == DB_PARAMS_MAX)
		abort(); /* statements are constants: the first test that runs this one finds it */
	p->values[p->count] = value;
	p->lengths[p->count] = length;
	p->formats[p->count] = format;
	p->count++;
}

void db_add_text(struct db_params *p, const char *text)
{
	add(p, text, 0, FORMAT_TEXT);
}

void db_add_int(struct db_params *p, int64_t number)
{
	int at = p->count;

	add(p, NULL, 0, FORMAT_TEXT);
	(void)snprintf(p->numbers[at], sizeof(p->numbers[at]), "%" PRId64, number);
	p->values[at] = p->numbers[at];
}

void db_add_bool(struct db_params *p, bool value)
{
	add(p, value ? "t" : "f", 0, FORMAT_TEXT);
}

void db_add_bytes(struct db_params *p, const void *bytes, size_t length)
{
	add(p, bytes, (int)length, FORMAT_BINARY);
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
	/* libpq's memory is free()d by PQfreemem(), which on Linux is free(). */
	*ret_length = length;
	return decoded;
}
