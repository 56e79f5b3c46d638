#include "store/live.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/parse.h"
#include "store/internal.h"

static const struct db_statement statement_listen = {
	"live_listen", "DO $$BEGIN LISTEN fsa_live; LISTEN fsa_live_left; END$$"
};

/* Without changes, it neither notifies nor locks anything. Payload: "user", "user project" or "user
 * kubeconfig". */
static const struct db_statement statement_announce = {
	"live_announce",
	"WITH fetched AS (DELETE FROM live_changes RETURNING user_id, project_id, topic, at),"
	" changed AS (SELECT user_id, coalesce(project_id::text, topic) AS what, min(at) AS first"
	"  FROM fetched GROUP BY 1, 2 ORDER BY first)"
	" SELECT count(pg_notify('fsa_live', concat_ws(' ', user_id, what))),"
	"  pg_snapshot_xmin(pg_current_snapshot()) FROM changed"
};

static const struct db_statement statement_watch = {
	"live_watch", "UPDATE live_relay SET looks_until = clock_timestamp() + interval '5 seconds'"
};

static const struct db_statement statement_rest = {
	"live_rest", "UPDATE live_relay SET looks_until = '-infinity'"
};

/* After that id is committed, all transactions that may have seen the previous state have lower
 * ids. */
static const struct db_statement statement_horizon = {
	"live_horizon", "SELECT pg_snapshot_xmax(pg_current_snapshot())"
};

/* Words are passed on unchanged, even those of a newer schema. */
/* clang-format off */
#define LIVE_READ(of, type, member, sql, json) { COLUMN_TEXT, offsetof(of, member), 0 },

static const struct column project_columns[] = {
	PROJECT_STATUS_COLUMNS(LIVE_READ, struct live_project)
};
static const struct column resource_columns[] = {
	RESOURCE_STATUS_COLUMNS(LIVE_READ, struct live_resource)
	RESOURCE_CAUSE_COLUMNS(LIVE_READ, struct live_resource)
	RESOURCE_KIND_COLUMNS(LIVE_READ, struct live_resource)
};
/* clang-format on */

/* One row per resource; a project without any is a row of NULLs. */
static const struct db_statement statement_get = {
	"live_project_get",
	"SELECT 0" PROJECT_STATUS_COLUMNS(COLUMN_SQL, "p") RESOURCE_STATUS_COLUMNS(COLUMN_SQL, "r")
		RESOURCE_CAUSE_COLUMNS(COLUMN_SQL, "r") RESOURCE_KIND_COLUMNS(
			COLUMN_SQL,
			"r") " FROM project_access a JOIN projects p ON p.id = a.project_id"
			     " LEFT JOIN resources r ON r.project_id = p.id"
			     " WHERE a.project_id = $1 AND a.user_id = $2"
			     " ORDER BY " STORE_RESOURCE_ORDER("r")
};

static const struct db_statement statement_users = { "live_users", "SELECT id FROM users" };

int live_listen(struct db *listener, struct err *e)
{
	return db_listen(listener, &statement_listen, e);
}

int live_announce(struct db *db, struct live_announced *ret, struct err *e)
{
	CLEANUP(db_result_free) PGresult *r = NULL;

	if (db_query(db, &statement_announce, NULL, &r, e) < 0)
		return -1;
	ret->count = db_int(r, 0, 0);
	ret->horizon = db_int(r, 0, 1);
	return 0;
}

int live_watch(struct db *db, struct err *e)
{
	return db_query(db, &statement_watch, NULL, NULL, e);
}

int live_rest(struct db *db, int64_t *ret_horizon, struct err *e)
{
	CLEANUP(db_result_free) PGresult *r = NULL;

	if (db_query(db, &statement_rest, NULL, NULL, e) < 0 ||
	    db_query(db, &statement_horizon, NULL, &r, e) < 0)
		return -1;
	*ret_horizon = db_int(r, 0, 0);
	return 0;
}

static bool take_id(const char *text, size_t length, char ret_id[STORE_ID_LENGTH + 1])
{
	if (length != STORE_ID_LENGTH)
		return false;
	memcpy(ret_id, text, length);
	ret_id[length] = '\0';
	return parse_is_uuid(ret_id);
}

bool live_change_parse(const char *payload, struct live_change *ret_change)
{
	struct live_change change = { .project_id = "" };
	const char *blank = strchr(payload, ' ');
	size_t first = blank != NULL ? (size_t)(blank - payload) : strlen(payload);

	if (!take_id(payload, first, change.user_id))
		return false;
	change.kubeconfig = blank != NULL && strcmp(blank + 1, "kubeconfig") == 0;
	if (blank != NULL && !change.kubeconfig &&
	    !take_id(blank + 1, strlen(blank + 1), change.project_id))
		return false;
	*ret_change = change;
	return true;
}

static int read_row(const PGresult *r, int row, struct live_project *project, struct err *e)
{
	struct column_reader in = { .result = r, .row = row, .column = 1 };

	if (column_read(&in, project_columns, ARRAY_SIZE(project_columns), project, e) < 0)
		return -1;
	if (!column_is_there(&in))
		return 0;
	return column_read(&in, resource_columns, ARRAY_SIZE(resource_columns),
			   &project->resources[project->resource_count++], e);
}

int live_project_get(struct db *db, const char *user_id, const char *project_id,
		     struct live_project *ret_project, struct err *e)
{
	CLEANUP(db_result_free) PGresult *r = NULL;

	if (db_query(db, &statement_get, DB_ARGS(DB_TEXT(project_id), DB_TEXT(user_id)), &r, e) < 0)
		return -1;
	if (db_rows(r) == 0)
		return store_project_not_found(e);
	CLEANUP(live_project_clear)
	struct live_project project = { .resources = mem_calloc((size_t)db_rows(r),
								sizeof(struct live_resource)) };
	for (int row = 0; row < db_rows(r); row++) {
		if (read_row(r, row, &project, e) < 0)
			return -1;
	}
	*ret_project = project;
	ret_project->result = STEAL(r);
	project = (struct live_project) { .result = NULL };
	return 0;
}

void live_project_clear(struct live_project *project)
{
	db_result_free(&project->result);
	free(project->resources);
	project->resources = NULL;
}

int live_users_list(struct db *db, struct live_users *ret_users, struct err *e)
{
	if (db_query(db, &statement_users, NULL, &ret_users->result, e) < 0)
		return -1;
	ret_users->count = (size_t)db_rows(ret_users->result);
	return 0;
}

const char *live_users_id(const struct live_users *users, size_t index)
{
	return db_text(users->result, (int)index, 0);
}

void live_users_clear(struct live_users *users)
{
	db_result_free(&users->result);
}
