/* Reading projects: lists, one project, one sandbox, events. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/parse.h"
#include "store/internal.h"
#include "store/project.h"

/* ---- columns --------------------------------------------------------------------------------- */

#define PROJECT_COLUMNS(X)                                                                         \
	X(PROJECT_ID, "p.id")                                                                      \
	X(PROJECT_NAME, "p.name")                                                                  \
	X(PROJECT_DESCRIPTION, "p.description")                                                    \
	X(PROJECT_USER_ID, "p.user_id")                                                            \
	X(PROJECT_GITHUB_REPO, "p.github_repo")                                                    \
	X(PROJECT_KUBE_NAME, "p.kube_name")                                                        \
	X(PROJECT_STATUS, "p.status")                                                              \
	X(PROJECT_CREATED_AT, "iso8601(p.created_at)")                                             \
	X(PROJECT_UPDATED_AT, "iso8601(p.updated_at)")                                             \
	X(PROJECT_CREATED_US, "(extract(epoch FROM p.created_at) * 1000000)::bigint")

/* Of a row of resources as `r` and one of sandboxes or databases as `t`. The first one's number is
 * the base that the others are counted from. */
#define RESOURCE_COLUMNS(X, prefix, r, t)                                                          \
	X(prefix##_ID, r ".id")                                                                    \
	X(prefix##_NAME, r ".name")                                                                \
	X(prefix##_NAMESPACE, r ".namespace")                                                      \
	X(prefix##_SERVER, r ".server")                                                            \
	X(prefix##_DESIRED, r ".desired")                                                          \
	X(prefix##_GENERATION, r ".generation")                                                    \
	X(prefix##_STATUS, r ".status")                                                            \
	X(prefix##_STAGE, r ".stage")                                                              \
	X(prefix##_STATUS_SINCE, "iso8601(" r ".status_since)")                                    \
	X(prefix##_CAUSE_KIND, r ".cause_kind")                                                    \
	X(prefix##_CAUSE_CODE, r ".cause_code")                                                    \
	X(prefix##_CAUSE_MESSAGE, r ".cause_message")                                              \
	X(prefix##_CAUSE_SINCE, "iso8601(" r ".cause_since)")                                      \
	X(prefix##_ATTEMPTS, r ".attempts")                                                        \
	X(prefix##_WARNINGS, "nullif(" r ".warnings, '[]')::text")                                 \
	X(prefix##_NEXT_ATTEMPT_AT, "iso8601(" r ".due_at)")                                       \
	X(prefix##_LOCKED_UNTIL, "iso8601(" r ".leased_until)")                                    \
	X(prefix##_CPU_REQUEST, t ".cpu_request")                                                  \
	X(prefix##_CPU_LIMIT, t ".cpu_limit")                                                      \
	X(prefix##_MEMORY_REQUEST, t ".memory_request")                                            \
	X(prefix##_MEMORY_LIMIT, t ".memory_limit")                                                \
	X(prefix##_CREATED_AT, "iso8601(" r ".created_at)")                                        \
	X(prefix##_UPDATED_AT, "iso8601(" r ".updated_at)")

#define SANDBOX_COLUMNS(X)                                                                         \
	RESOURCE_COLUMNS(X, SANDBOX, "sr", "s")                                                    \
	X(SANDBOX_APP_HOST, "s.app_host")                                                          \
	X(SANDBOX_TTYD_HOST, "s.ttyd_host")                                                        \
	X(SANDBOX_IMAGE, "s.image")                                                                \
	X(SANDBOX_TERMINAL_TOKEN, "s.terminal_token_sealed")                                       \
	X(SANDBOX_ACCESS_GENERATION, "s.access_generation")

#define DATABASE_COLUMNS(X)                                                                        \
	RESOURCE_COLUMNS(X, DATABASE, "dr", "d")                                                   \
	X(DATABASE_STORAGE_SIZE, "d.storage_size")                                                 \
	X(DATABASE_HOST, "d.host")                                                                 \
	X(DATABASE_DATABASE, "d.database")                                                         \
	X(DATABASE_USERNAME, "d.username")                                                         \
	X(DATABASE_PORT, "d.port")                                                                 \
	X(DATABASE_PASSWORD, "d.password_sealed")

#define ITEM_COLUMNS(X) PROJECT_COLUMNS(X) SANDBOX_COLUMNS(X) DATABASE_COLUMNS(X)

enum item_column { COLUMN_NONE, ITEM_COLUMNS(STORE_COLUMN_ENUM) };

/* The view of one sandbox has the same columns up to here. */
enum view_column { VIEW_HAS_DATABASE = DATABASE_ID, VIEW_DATABASE_STATUS, VIEW_DATABASE_READY };
#define VIEW_COLUMNS(X)                                                                            \
	PROJECT_COLUMNS(X)                                                                         \
	SANDBOX_COLUMNS(X)                                                                         \
	X(VIEW_HAS_DATABASE, "dr.id IS NOT NULL")                                                  \
	X(VIEW_DATABASE_STATUS, "dr.status") X(VIEW_DATABASE_READY, "d.host IS NOT NULL")

#define JOIN_SANDBOX                                                                               \
	" LEFT JOIN resources sr ON sr.project_id = p.id AND sr.kind = 'SANDBOX'"                  \
	" LEFT JOIN sandboxes s ON s.resource_id = sr.id"
#define JOIN_DATABASE                                                                              \
	" LEFT JOIN resources dr ON dr.project_id = p.id AND dr.kind = 'DATABASE'"                 \
	" LEFT JOIN databases d ON d.resource_id = dr.id"

enum event_column {
	EVENT_ID,
	EVENT_AT,
	EVENT_KIND,
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
	/* $1 user, $2 keyword, $3 and $4 created between, $5 and $6 the last row of the page before,
	 * $7 limit. A page needs an order that does not change on the way. */
	[STATEMENT_LIST] = { "project_list",
		STORE_SELECT(ITEM_COLUMNS)
		"FROM (SELECT * FROM projects WHERE user_id = $1"
		"  AND ($2::text IS NULL OR strpos(lower(name), lower($2)) > 0"
		"   OR strpos(lower(description), lower($2)) > 0)"
		"  AND ($3::timestamptz IS NULL OR created_at >= $3)"
		"  AND ($4::timestamptz IS NULL OR created_at <= $4)"
		"  AND ($5::bigint IS NULL OR (created_at, id) <"
		"   (timestamptz 'epoch' + $5 * interval '1 microsecond', $6::uuid))"
		"  ORDER BY created_at DESC, id DESC LIMIT $7::bigint) p" JOIN_SANDBOX JOIN_DATABASE
		" ORDER BY CASE WHEN $7 IS NULL THEN p.updated_at ELSE p.created_at END DESC,"
		" p.created_at DESC, p.id DESC" },
	[STATEMENT_GET] = { "project_get",
		STORE_SELECT(ITEM_COLUMNS)
		"FROM projects p" JOIN_SANDBOX JOIN_DATABASE
		" WHERE p.id = $1 AND p.user_id = $2" },
	[STATEMENT_SANDBOX] = { "sandbox_get",
		STORE_SELECT(VIEW_COLUMNS)
		"FROM projects p" JOIN_SANDBOX JOIN_DATABASE
		" WHERE p.id = $1 AND p.user_id = $2" },
	/* A project without events is a row of NULLs. */
	[STATEMENT_EVENTS] = { "event_list",
		"SELECT e.id, iso8601(e.at), e.kind, e.status, e.stage, e.code,"
		" e.message"
		" FROM projects p LEFT JOIN LATERAL (SELECT * FROM events"
		"  WHERE project_id = p.id AND ($3::bigint = 0 OR id < $3)"
		"  ORDER BY id DESC LIMIT $4::bigint) e ON true"
		" WHERE p.id = $1 AND p.user_id = $2 ORDER BY e.id DESC" },
};
/* clang-format on */

/* ---- rows to structs ------------------------------------------------------------------------- */

static int read_project(const PGresult *r, int i, struct project *p, struct err *e)
{
	p->id = db_text(r, i, PROJECT_ID);
	p->name = db_text(r, i, PROJECT_NAME);
	p->description = db_text(r, i, PROJECT_DESCRIPTION);
	p->user_id = db_text(r, i, PROJECT_USER_ID);
	p->github_repo = db_text(r, i, PROJECT_GITHUB_REPO);
	p->kube_name = db_text(r, i, PROJECT_KUBE_NAME);
	p->created_at = db_text(r, i, PROJECT_CREATED_AT);
	p->updated_at = db_text(r, i, PROJECT_UPDATED_AT);
	return store_status(r, i, PROJECT_STATUS, &p->status, e);
}

/* `base`: SANDBOX_ID or DATABASE_ID, whose columns have the same order. */
static int read_resource(const PGresult *r, int i, enum item_column base, struct resource *res,
			 struct err *e)
{
#define AT(name) ((int)base + (int)SANDBOX_##name - (int)SANDBOX_ID)
	res->id = db_text(r, i, AT(ID));
	res->project_id = db_text(r, i, PROJECT_ID);
	res->name = db_text(r, i, AT(NAME));
	res->namespace = db_text(r, i, AT(NAMESPACE));
	res->server = db_text(r, i, AT(SERVER));
	res->generation = db_int(r, i, AT(GENERATION));
	res->status_since = db_text(r, i, AT(STATUS_SINCE));
	res->cause_kind = db_text(r, i, AT(CAUSE_KIND));
	res->cause_code = db_text(r, i, AT(CAUSE_CODE));
	res->cause_message = db_text(r, i, AT(CAUSE_MESSAGE));
	res->cause_since = db_text(r, i, AT(CAUSE_SINCE));
	res->warnings = db_text(r, i, AT(WARNINGS));
	res->attempts = (unsigned)db_int(r, i, AT(ATTEMPTS));
	res->next_attempt_at = db_text(r, i, AT(NEXT_ATTEMPT_AT));
	res->locked_until = db_text(r, i, AT(LOCKED_UNTIL));
	res->cpu_request = db_text(r, i, AT(CPU_REQUEST));
	res->cpu_limit = db_text(r, i, AT(CPU_LIMIT));
	res->memory_request = db_text(r, i, AT(MEMORY_REQUEST));
	res->memory_limit = db_text(r, i, AT(MEMORY_LIMIT));
	res->created_at = db_text(r, i, AT(CREATED_AT));
	res->updated_at = db_text(r, i, AT(UPDATED_AT));
	if (store_desired(r, i, AT(DESIRED), &res->desired, e) < 0 ||
	    store_status(r, i, AT(STATUS), &res->status, e) < 0)
		return -1;
	return store_stage(r, i, AT(STAGE), &res->stage, e);
#undef AT
}

static int read_sandbox(const PGresult *r, int i, void **decoded, struct sandbox *s, struct err *e)
{
	s->app_host = db_text(r, i, SANDBOX_APP_HOST);
	s->ttyd_host = db_text(r, i, SANDBOX_TTYD_HOST);
	s->image = db_text(r, i, SANDBOX_IMAGE);
	s->terminal_token_sealed = store_bytes(decoded, r, i, SANDBOX_TERMINAL_TOKEN,
					       &s->terminal_token_sealed_length);
	s->access_generation = db_int(r, i, SANDBOX_ACCESS_GENERATION);
	return read_resource(r, i, SANDBOX_ID, &s->resource, e);
}

static int read_database(const PGresult *r, int i, void **decoded, struct database *d,
			 struct err *e)
{
	d->storage_size = db_text(r, i, DATABASE_STORAGE_SIZE);
	d->host = db_text(r, i, DATABASE_HOST);
	d->database = db_text(r, i, DATABASE_DATABASE);
	d->username = db_text(r, i, DATABASE_USERNAME);
	d->port = (int)db_int(r, i, DATABASE_PORT);
	d->password_sealed =
		store_bytes(decoded, r, i, DATABASE_PASSWORD, &d->password_sealed_length);
	return read_resource(r, i, DATABASE_ID, &d->resource, e);
}

static int read_item(const PGresult *r, int i, void **decoded, struct project_item *item,
		     struct err *e)
{
	if (read_project(r, i, &item->project, e) < 0)
		return -1;
	if (db_text(r, i, SANDBOX_ID) != NULL) {
		item->sandbox = mem_calloc(1, sizeof(*item->sandbox));
		if (read_sandbox(r, i, decoded, item->sandbox, e) < 0)
			return -1;
	}
	if (db_text(r, i, DATABASE_ID) == NULL)
		return 0;
	item->database = mem_calloc(1, sizeof(*item->database));
	return read_database(r, i, decoded, item->database, e);
}

/* Reads the first `count` rows of `rows->result`. */
static int read_items(struct project_rows *rows, size_t count, struct err *e)
{
	rows->count = count;
	rows->items = mem_calloc(count, sizeof(*rows->items));
	for (size_t i = 0; i < count; i++) {
		if (read_item(rows->result, (int)i, &rows->decoded, &rows->items[i], e) < 0)
			return -1;
	}
	return 0;
}

void project_rows_clear(struct project_rows *rows)
{
	for (size_t i = 0; i < rows->count; i++) {
		free(rows->items[i].sandbox);
		free(rows->items[i].database);
	}
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
	/* One row more tells of a next page. */
	return db_query(db, &statements[STATEMENT_LIST],
			DB_ARGS(DB_TEXT(user_id), DB_TEXT(filter->keyword),
				DB_TEXT(filter->created_from), DB_TEXT(filter->created_to),
				DB_TEXT(cursor.id ? cursor.microseconds : NULL), DB_TEXT(cursor.id),
				filter->limit > 0 ? DB_INT((int64_t)filter->limit + 1) : DB_NULL),
			ret_result, e);
}

int project_list(struct db *db, const char *user_id, const struct project_filter *filter,
		 struct project_rows *ret_rows, struct err *e)
{
	CLEANUP(project_rows_clear) struct project_rows rows = { 0 };

	if (query_list(db, user_id, filter, &rows.result, e) < 0)
		return -1;
	size_t got = (size_t)db_rows(rows.result);
	bool more = filter->limit > 0 && got > filter->limit;
	if (read_items(&rows, more ? filter->limit : got, e) < 0)
		return -1;
	if (more)
		(void)snprintf(rows.next_cursor, sizeof(rows.next_cursor), "%s.%s",
			       db_text(rows.result, (int)rows.count - 1, PROJECT_CREATED_US),
			       db_text(rows.result, (int)rows.count - 1, PROJECT_ID));
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
	if (read_items(&rows, 1, e) < 0)
		return -1;
	*ret_rows = STEAL_STRUCT(rows);
	return 0;
}

/* ---- one sandbox ----------------------------------------------------------------------------- */

static int read_view(struct sandbox_view *view, struct err *e)
{
	const PGresult *r = view->result;

	if (read_project(r, 0, &view->project, e) < 0 ||
	    read_sandbox(r, 0, &view->decoded, &view->sandbox, e) < 0)
		return -1;
	view->has_database = db_bool(r, 0, VIEW_HAS_DATABASE);
	view->database_ready = db_bool(r, 0, VIEW_DATABASE_READY);
	if (!view->has_database)
		return 0;
	return store_status(r, 0, VIEW_DATABASE_STATUS, &view->database_status, e);
}

int sandbox_get(struct db *db, const char *user_id, const char *project_id,
		struct sandbox_view *ret_view, struct err *e)
{
	CLEANUP(sandbox_view_clear) struct sandbox_view view = { 0 };

	if (db_query(db, &statements[STATEMENT_SANDBOX],
		     DB_ARGS(DB_TEXT(project_id), DB_TEXT(user_id)), &view.result, e) < 0)
		return -1;
	if (db_rows(view.result) == 0)
		return store_project_not_found(e);
	if (db_text(view.result, 0, SANDBOX_ID) == NULL)
		return store_sandbox_not_found(e);
	if (read_view(&view, e) < 0)
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
