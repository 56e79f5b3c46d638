/* Reading projects: lists, one project, one sandbox, events. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/parse.h"
#include "store/internal.h"
#include "store/project.h"

/* ---- columns --------------------------------------------------------------------------------- */

#define SANDBOX_SIZE(column)  "s." column
#define DATABASE_SIZE(column) "d." column

#define SELECT_PROJECT PROJECT_COLUMNS(COLUMN_SQL, "p")
#define SELECT_SANDBOX                                                                             \
	RESOURCE_COLUMNS(COLUMN_SQL, "sr")                                                         \
	RESOURCE_OWNER_COLUMNS(COLUMN_SQL, "sr")                                                   \
	SIZE_COLUMNS(COLUMN_SQL, "s", SANDBOX_SIZE)                                                \
	SANDBOX_COLUMNS(COLUMN_SQL, "s")                                                           \
	SANDBOX_OWNER_COLUMNS(COLUMN_SQL, "s")
#define SELECT_DATABASE                                                                            \
	RESOURCE_COLUMNS(COLUMN_SQL, "dr")                                                         \
	RESOURCE_OWNER_COLUMNS(COLUMN_SQL, "dr")                                                   \
	SIZE_COLUMNS(COLUMN_SQL, "d", DATABASE_SIZE)                                               \
	DATABASE_COLUMNS(COLUMN_SQL, "d")                                                          \
	CONNECTION_COLUMNS(COLUMN_SQL, "d")
#define SELECT_ITEM "SELECT 0" SELECT_PROJECT SELECT_DATABASE SELECT_SANDBOX " "
#define SELECT_VIEW "SELECT 0" SELECT_PROJECT SELECT_SANDBOX ", dr.status, d.host IS NOT NULL "

/* clang-format off */
static const struct column project_columns[] = {
	PROJECT_COLUMNS(COLUMN_READ, struct project)
};
static const struct column resource_columns[] = {
	RESOURCE_COLUMNS(COLUMN_READ, struct resource)
	RESOURCE_OWNER_COLUMNS(COLUMN_READ, struct resource)
	SIZE_COLUMNS(COLUMN_READ, struct resource, NO_SQL)
};
static const struct column sandbox_columns[] = {
	SANDBOX_COLUMNS(COLUMN_READ, struct sandbox)
	SANDBOX_OWNER_COLUMNS(COLUMN_READ, struct sandbox)
};
static const struct column database_columns[] = {
	DATABASE_COLUMNS(COLUMN_READ, struct database)
	CONNECTION_COLUMNS(COLUMN_READ, struct database)
};
/* clang-format on */

#define JOIN_SANDBOXES(condition)                                                                  \
	" LEFT JOIN resources sr ON sr.project_id = p.id AND sr.kind = 'SANDBOX'" condition        \
	" LEFT JOIN sandboxes s ON s.resource_id = sr.id"
#define IS_CHOSEN " AND " STORE_IS_CHOSEN("sr", "$3")
#define JOIN_DATABASE(condition)                                                                   \
	" LEFT JOIN resources dr ON dr.project_id = p.id AND dr.kind = 'DATABASE'" condition       \
	" LEFT JOIN databases d ON d.resource_id = dr.id"
#define IS_USED " AND " STORE_HAS_DATABASE("sr", "dr")

enum event_column {
	EVENT_ID,
	EVENT_AT,
	EVENT_KIND,
	EVENT_RESOURCE_ID,
	EVENT_STATUS,
	EVENT_STAGE,
	EVENT_CODE,
	EVENT_MESSAGE,
};

enum statement {
	STATEMENT_LIST,
	STATEMENT_GET,
	STATEMENT_SANDBOX,
	STATEMENT_EVENTS,
};

/* SQL is laid out by hand. */
/* clang-format off */
static const struct db_statement statements[] = {
	/* $1 user, $2 keyword, $3 and $4 created between, $5 and $6 the last row of the previous
	 * page, $7 limit, $8 whether the trash is listed, or everything else. Paging requires a
	 * stable order. */
	[STATEMENT_LIST] = { "project_list",
		SELECT_ITEM
		"FROM (SELECT * FROM projects"
		"  WHERE id IN (SELECT project_id FROM project_access WHERE user_id = $1)"
		"  AND (trash_until IS NOT NULL) = $8::boolean"
		"  AND ($2::text IS NULL OR strpos(lower(name), lower($2)) > 0"
		"   OR strpos(lower(description), lower($2)) > 0)"
		"  AND ($3::timestamptz IS NULL OR created_at >= $3)"
		"  AND ($4::timestamptz IS NULL OR created_at <= $4)"
		"  AND ($5::bigint IS NULL OR (created_at, id) <"
		"   (timestamptz 'epoch' + $5 * interval '1 microsecond', $6::uuid))"
		"  ORDER BY created_at DESC, id DESC LIMIT $7::bigint) p" JOIN_SANDBOXES("") JOIN_DATABASE("")
		" ORDER BY CASE WHEN $7 IS NULL THEN p.updated_at ELSE p.created_at END DESC,"
		" p.created_at DESC, p.id DESC, " STORE_RESOURCE_ORDER("sr") },
	[STATEMENT_GET] = { "project_get",
		SELECT_ITEM
		"FROM projects p" JOIN_SANDBOXES("") JOIN_DATABASE("")
		" WHERE p.id = $1 AND p.user_id = $2 ORDER BY " STORE_RESOURCE_ORDER("sr") },
	[STATEMENT_SANDBOX] = { "sandbox_get",
		SELECT_VIEW
		"FROM projects p" JOIN_SANDBOXES(IS_CHOSEN) JOIN_DATABASE(IS_USED)
		" WHERE p.id = $1 AND p.user_id = $2" },
	/* A project without events is a row of NULLs. */
	[STATEMENT_EVENTS] = { "event_list",
		"SELECT e.id, iso8601(e.at), e.kind, e.resource_id, e.status, e.stage, e.code,"
		" e.message"
		" FROM projects p LEFT JOIN LATERAL (SELECT * FROM events"
		"  WHERE project_id = p.id AND ($3::bigint = 0 OR id < $3)"
		"  ORDER BY id DESC LIMIT $4::bigint) e ON true"
		" WHERE p.id = $1 AND p.user_id = $2 ORDER BY e.id DESC" },
};
/* clang-format on */

/* ---- rows to structs ------------------------------------------------------------------------- */

static struct column_reader reader_of(const PGresult *r, int row, void **decoded)
{
	return (struct column_reader) { .result = r, .decoded = decoded, .row = row, .column = 1 };
}

static int read_project(struct column_reader *in, struct project *p, struct err *e)
{
	return column_read(in, project_columns, ARRAY_SIZE(project_columns), p, e);
}

static int read_resource(struct column_reader *in, struct resource *r, struct err *e)
{
	return column_read(in, resource_columns, ARRAY_SIZE(resource_columns), r, e);
}

static int read_sandbox(struct column_reader *in, struct sandbox *s, struct err *e)
{
	if (read_resource(in, &s->resource, e) < 0)
		return -1;
	return column_read(in, sandbox_columns, ARRAY_SIZE(sandbox_columns), s, e);
}

static int read_database(struct column_reader *in, struct database *d, struct err *e)
{
	if (read_resource(in, &d->resource, e) < 0)
		return -1;
	return column_read(in, database_columns, ARRAY_SIZE(database_columns), d, e);
}

static int add_sandbox(struct column_reader *in, struct project_item *item, struct err *e)
{
	item->sandboxes =
		mem_realloc(item->sandboxes, item->sandbox_count + 1, sizeof(*item->sandboxes));
	struct sandbox *s = &item->sandboxes[item->sandbox_count];
	*s = (struct sandbox) { .image = NULL };
	if (read_sandbox(in, s, e) < 0)
		return -1;
	item->sandbox_count++;
	return 0;
}

static int read_parts(struct column_reader *in, struct project_item *item, struct err *e)
{
	bool has_database = column_is_there(in);

	if (has_database && item->database == NULL) {
		item->database = mem_calloc(1, sizeof(*item->database));
		if (read_database(in, item->database, e) < 0)
			return -1;
	} else {
		in->column += (int)(ARRAY_SIZE(resource_columns) + ARRAY_SIZE(database_columns));
	}
	return column_is_there(in) ? add_sandbox(in, item, e) : 0;
}

/* A project has one row per sandbox, one after the other, and one if it has none. */
static int read_items(struct project_rows *rows, struct err *e)
{
	rows->items = mem_calloc((size_t)db_rows(rows->result), sizeof(*rows->items));
	for (int i = 0; i < db_rows(rows->result); i++) {
		struct column_reader in = reader_of(rows->result, i, &rows->decoded);
		struct project project = { .id = NULL };
		if (read_project(&in, &project, e) < 0)
			return -1;
		if (rows->count == 0 ||
		    strcmp(rows->items[rows->count - 1].project.id, project.id) != 0)
			rows->items[rows->count++].project = project;
		if (read_parts(&in, &rows->items[rows->count - 1], e) < 0)
			return -1;
	}
	return 0;
}

static void item_clear(struct project_item *item)
{
	free(item->sandboxes);
	free(item->database);
}

void project_rows_clear(struct project_rows *rows)
{
	for (size_t i = 0; i < rows->count; i++)
		item_clear(&rows->items[i]);
	free(rows->items);
	store_bytes_free(&rows->decoded);
	db_result_free(&rows->result);
	*rows = (struct project_rows) { 0 };
}

/* ---- lists ----------------------------------------------------------------------------------- */

/* A cursor is "<microseconds of created_at>.<id>" of a page's last row. */
struct cursor {
	char microseconds[24];
	const char *id;
};

static int parse_cursor(const char *text, struct cursor *ret_cursor, struct err *e)
{
	size_t digits = strcspn(text, ".");
	uint64_t microseconds;

	if (digits < sizeof(ret_cursor->microseconds) && text[digits] == '.') {
		memcpy(ret_cursor->microseconds, text, digits);
		ret_cursor->microseconds[digits] = '\0';
		ret_cursor->id = text + digits + 1;
		if (parse_u64(ret_cursor->microseconds, 0, UINT64_C(1) << 52, &microseconds) &&
		    parse_is_uuid(ret_cursor->id))
			return 0;
	}
	return err_set(e, ERR_INVALID, "INVALID_CURSOR",
		       "cursor: not one that a list of projects gave");
}

static int query_list(struct db *db, const char *user_id, const struct project_filter *filter,
		      PGresult **ret_result, struct err *e)
{
	struct cursor cursor = { 0 };

	if (filter->cursor != NULL && parse_cursor(filter->cursor, &cursor, e) < 0)
		return -1;
	/* One more row shows whether there is a next page. */
	return db_query(db, &statements[STATEMENT_LIST],
			DB_ARGS(DB_TEXT(user_id), DB_TEXT(filter->keyword),
				DB_TEXT(filter->created_from), DB_TEXT(filter->created_to),
				DB_TEXT(cursor.id ? cursor.microseconds : NULL), DB_TEXT(cursor.id),
				filter->limit > 0 ? DB_INT((int64_t)filter->limit + 1) : DB_NULL,
				DB_BOOL(filter->trash)),
			ret_result, e);
}

int project_list(struct db *db, const char *user_id, const struct project_filter *filter,
		 struct project_rows *ret_rows, struct err *e)
{
	CLEANUP(project_rows_clear) struct project_rows rows = { 0 };

	if (query_list(db, user_id, filter, &rows.result, e) < 0)
		return -1;
	if (read_items(&rows, e) < 0)
		return -1;
	if (filter->limit > 0 && rows.count > filter->limit) {
		item_clear(&rows.items[--rows.count]);
		const struct project *last = &rows.items[rows.count - 1].project;
		(void)snprintf(rows.next_cursor, sizeof(rows.next_cursor), "%" PRId64 ".%s",
			       last->created_us, last->id);
	}
	*ret_rows = STEAL_STRUCT(rows);
	return 0;
}

int project_get(struct db *db, const char *user_id, const char *project_id,
		struct project_rows *ret_rows, struct err *e)
{
	CLEANUP(project_rows_clear) struct project_rows rows = { 0 };

	if (db_query(db, &statements[STATEMENT_GET], DB_ARGS(DB_TEXT(project_id), DB_TEXT(user_id)),
		     &rows.result, e) < 0)
		return -1;
	if (db_rows(rows.result) == 0)
		return store_project_not_found(e);
	if (read_items(&rows, e) < 0)
		return -1;
	*ret_rows = STEAL_STRUCT(rows);
	return 0;
}

/* ---- one sandbox ----------------------------------------------------------------------------- */

/* After the sandbox: the database's status (NULL: none), and whether it is ready. */
static int read_view(struct column_reader *in, struct sandbox_view *view, struct err *e)
{
	if (read_sandbox(in, &view->sandbox, e) < 0)
		return -1;
	view->has_database = column_is_there(in);
	view->database_ready = db_bool(in->result, 0, in->column + 1);
	if (!view->has_database)
		return 0;
	return store_status(in->result, 0, in->column, &view->database_status, e);
}

int sandbox_get(struct db *db, const char *user_id, const char *project_id, const char *sandbox_id,
		struct sandbox_view *ret_view, struct err *e)
{
	CLEANUP(sandbox_view_clear) struct sandbox_view view = { 0 };

	if (db_query(db, &statements[STATEMENT_SANDBOX],
		     DB_ARGS(DB_TEXT(project_id), DB_TEXT(user_id), DB_TEXT(sandbox_id)),
		     &view.result, e) < 0)
		return -1;
	if (db_rows(view.result) == 0)
		return store_project_not_found(e);
	struct column_reader in = reader_of(view.result, 0, &view.decoded);
	if (read_project(&in, &view.project, e) < 0)
		return -1;
	if (!column_is_there(&in))
		return store_sandbox_not_found(e);
	if (read_view(&in, &view, e) < 0)
		return -1;
	*ret_view = STEAL_STRUCT(view);
	return 0;
}

void sandbox_view_clear(struct sandbox_view *view)
{
	store_bytes_free(&view->decoded);
	db_result_free(&view->result);
	*view = (struct sandbox_view) { 0 };
}

/* ---- events ---------------------------------------------------------------------------------- */

int event_list(struct db *db, const char *user_id, const char *project_id, int64_t before_id,
	       unsigned limit, struct event_rows *ret_rows, struct err *e)
{
	CLEANUP(db_result_free) PGresult *r = NULL;

	if (db_query(db, &statements[STATEMENT_EVENTS],
		     DB_ARGS(DB_TEXT(project_id), DB_TEXT(user_id), DB_INT(before_id),
			     DB_INT(limit)),
		     &r, e) < 0)
		return -1;
	if (db_rows(r) == 0)
		return store_project_not_found(e);
	struct event_rows rows = { .count = (size_t)db_rows(r) };
	if (db_text(r, 0, EVENT_ID) == NULL)
		rows.count = 0;
	rows.items = mem_calloc(rows.count, sizeof(*rows.items));
	for (int i = 0; i < (int)rows.count; i++)
		rows.items[i] = (struct event) { .id = db_int(r, i, EVENT_ID),
						 .at = db_text(r, i, EVENT_AT),
						 .kind = db_text(r, i, EVENT_KIND),
						 .resource_id = db_text(r, i, EVENT_RESOURCE_ID),
						 .status = db_text(r, i, EVENT_STATUS),
						 .stage = db_text(r, i, EVENT_STAGE),
						 .code = db_text(r, i, EVENT_CODE),
						 .message = db_text(r, i, EVENT_MESSAGE) };
	rows.result = STEAL(r);
	*ret_rows = rows;
	return 0;
}

void event_rows_clear(struct event_rows *rows)
{
	db_result_free(&rows->result);
	free(rows->items);
	*rows = (struct event_rows) { 0 };
}
