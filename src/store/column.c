#include "store/column.h"

#include "db/db.h"
#include "store/internal.h"

static int read_one(const struct column_reader *in, enum column_type type, void *into, void *length,
		    struct err *e)
{
	const PGresult *r = in->result;
	int row = in->row;
	int at = in->column;

	switch (type) {
	case COLUMN_TEXT:
		*(const char **)into = db_text(r, row, at);
		return 0;
	case COLUMN_INT:
		*(int64_t *)into = db_int(r, row, at);
		return 0;
	case COLUMN_UINT:
		*(uint64_t *)into = (uint64_t)db_int(r, row, at);
		return 0;
	case COLUMN_UNSIGNED:
		*(unsigned *)into = (unsigned)db_int(r, row, at);
		return 0;
	case COLUMN_BOOL:
		*(bool *)into = db_bool(r, row, at);
		return 0;
	case COLUMN_BYTES:
		*(const void **)into = store_bytes(in->decoded, r, row, at, (size_t *)length);
		return 0;
	case COLUMN_KIND:
		return store_kind(r, row, at, into, e);
	case COLUMN_FORM:
		return store_form(r, row, at, into, e);
	case COLUMN_DESIRED:
		return store_desired(r, row, at, into, e);
	case COLUMN_STATUS:
		return store_status(r, row, at, into, e);
	case COLUMN_STAGE:
		return store_stage(r, row, at, into, e);
	}
	return 0;
}

int column_read(struct column_reader *in, const struct column *columns, size_t count, void *into,
		struct err *e)
{
	for (size_t i = 0; i < count; i++, in->column++) {
		const struct column *c = &columns[i];
		if (read_one(in, c->type, (char *)into + c->offset, (char *)into + c->length, e) <
		    0)
			return -1;
	}
	return 0;
}

bool column_is_there(const struct column_reader *in)
{
	return !PQgetisnull(in->result, in->row, in->column);
}
