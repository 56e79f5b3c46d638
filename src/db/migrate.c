#include "db/migrate.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/mem.h"
#include "base/parse.h"
#include "db/internal.h"

enum { ATTEMPTS_MAX = 10 };
#define SQLSTATE_DEADLOCK "40P01"

enum { MIGRATION_FILE_MAX = 1 << 20, VERSION_DIGITS = 4 };

enum statement {
	STATEMENT_LOCK,
	STATEMENT_CREATE_TABLE,
	STATEMENT_FIND,
	STATEMENT_ADD,
	STATEMENT_TABLE_EXISTS,
	STATEMENT_LIST,
	STATEMENT_CURRENT,
};

/* At read committed, a caller that waited for the lock sees what was committed before. The lock's
 * number is an arbitrary constant. */
/* SQL is laid out by hand. */
/* clang-format off */
static const struct db_statement statements[] = {
	[STATEMENT_LOCK] = { "migrate_lock",
		"SELECT pg_advisory_xact_lock(7305129480413)" },
	[STATEMENT_CREATE_TABLE] = { "migrate_create_table",
		"CREATE TABLE IF NOT EXISTS schema_migrations ("
		" version integer PRIMARY KEY,"
		" name text NOT NULL,"
		" checksum text NOT NULL,"
		" applied_at timestamptz NOT NULL DEFAULT now())" },
	[STATEMENT_FIND] = { "migrate_find",
		"SELECT checksum = encode(sha256($2::bytea), 'hex')"
		" FROM schema_migrations WHERE version = $1" },
	[STATEMENT_ADD] = { "migrate_add",
		"INSERT INTO schema_migrations (version, name, checksum)"
		" VALUES ($1, $3, encode(sha256($2::bytea), 'hex'))" },
	[STATEMENT_TABLE_EXISTS] = { "migrate_table_exists",
		"SELECT to_regclass('schema_migrations') IS NOT NULL" },
	[STATEMENT_LIST] = { "migrate_list",
		"SELECT version, to_char(applied_at AT TIME ZONE 'UTC',"
		" 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') FROM schema_migrations" },
	[STATEMENT_CURRENT] = { "migrate_current",
		"SELECT coalesce(max(version), 0) FROM schema_migrations" },
};
/* clang-format on */

/* ---- files ----------------------------------------------------------------------------------- */

void migrations_clear(struct migrations *m)
{
	free(m->items);
	*m = (struct migrations) { 0 };
}

static void migrations_add(struct migrations *m, const struct migration *item)
{
	m->items = mem_realloc(m->items, m->count + 1, sizeof(*m->items));
	m->items[m->count++] = *item;
}

static void close_directory(DIR **directory)
{
	if (*directory != NULL)
		(void)closedir(*directory);
}

/* "NNNN_name.sql" */
static bool parse_file_name(const char *file, struct migration *ret_item)
{
	char digits[VERSION_DIGITS + 1] = "";
	uint64_t version = 0;

	for (int i = 0; i < VERSION_DIGITS && file[i] != '\0'; i++)
		digits[i] = file[i];
	if (strlen(digits) != VERSION_DIGITS || file[VERSION_DIGITS] != '_' ||
	    !parse_u64(digits, 1, 9999, &version) || strlen(file) >= sizeof(ret_item->file))
		return false;
	*ret_item = (struct migration) { .version = (unsigned)version };
	(void)snprintf(ret_item->file, sizeof(ret_item->file), "%s", file);
	return true;
}

static bool ends_with_sql(const char *file)
{
	size_t length = strlen(file);

	return length > 4 && strcmp(file + length - 4, ".sql") == 0;
}

static int compare_versions(const void *a, const void *b)
{
	const struct migration *one = a, *other = b;

	return (one->version > other->version) - (one->version < other->version);
}

static int check_sequence(const struct migrations *m, const char *directory, struct err *e)
{
	if (m->count == 0)
		return err_set(e, ERR_INVALID, NULL, "%s: no migrations here", directory);
	for (size_t i = 0; i < m->count; i++) {
		if (m->items[i].version != i + 1)
			return err_set(e, ERR_INVALID, NULL,
				       "%s/%s: expected number %04zu here; each is needed once",
				       directory, m->items[i].file, i + 1);
	}
	return 0;
}

static int read_directory(const char *directory, struct migrations *ret_files, struct err *e)
{
	CLEANUP(close_directory) DIR *open = opendir(directory);
	CLEANUP(migrations_clear) struct migrations files = { 0 };
	struct migration item;
	struct dirent *entry;

	if (open == NULL)
		return err_set(e, ERR_INVALID, NULL, "%s: %s", directory, strerror(errno));
	while ((entry = readdir(open)) != NULL) {
		if (!ends_with_sql(entry->d_name))
			continue;
		if (!parse_file_name(entry->d_name, &item))
			return err_set(e, ERR_INVALID, NULL, "%s/%s: not named NNNN_name.sql",
				       directory, entry->d_name);
		migrations_add(&files, &item);
	}
	if (files.count > 0)
		qsort(files.items, files.count, sizeof(*files.items), compare_versions);
	if (check_sequence(&files, directory, e) < 0)
		return -1;
	*ret_files = STEAL_STRUCT(files);
	return 0;
}

/* ---- applying -------------------------------------------------------------------------------- */

static int run_file(struct db *tx, const char *path, const char *sql, struct err *e)
{
	unsigned line = 0;

	if (db_run_script(tx, sql, &line, e) == 0)
		return 0;
	return line > 0 ? err_wrap(e, "%s:%u", path, line) : err_wrap(e, "%s", path);
}

/* Applies one file unless it was applied before. The caller commits. */
static int apply_in_transaction(struct db *tx, const struct migration *item, const char *path,
				const struct buf *content, bool *ret_applied, struct err *e)
{
	CLEANUP(db_result_free) PGresult *found = NULL;
	const struct db_arg version = DB_INT(item->version);
	const struct db_arg sum = DB_BYTES(content->data, content->length);

	if (db_query(tx, &statements[STATEMENT_LOCK], NULL, NULL, e) < 0 ||
	    db_query(tx, &statements[STATEMENT_CREATE_TABLE], NULL, NULL, e) < 0 ||
	    db_query(tx, &statements[STATEMENT_FIND], DB_ARGS(version, sum), &found, e) < 0)
		return -1;
	*ret_applied = db_rows(found) == 0;
	if (db_rows(found) > 0 && !db_bool(found, 0, 0))
		return err_set(e, ERR_INVALID, "MIGRATION_CHANGED",
			       "%s differs from what was applied as number %u; changes go into a "
			       "new file",
			       path, item->version);
	if (db_rows(found) > 0)
		return 0;
	if (run_file(tx, path, content->data, e) < 0)
		return -1;
	return db_query(tx, &statements[STATEMENT_ADD], DB_ARGS(version, sum, DB_TEXT(item->file)),
			NULL, e);
}

static int try_file(struct db *db, const char *directory, const struct migration *item,
		    bool *ret_applied, struct err *e)
{
	CLEANUP(db_rollback_guard) struct db *tx = NULL;
	CLEANUP(buf_release) struct buf content = BUF_INIT(MIGRATION_FILE_MAX);
	CLEANUP(cleanup_free) char *path = mem_printf("%s/%s", directory, item->file);

	if (buf_read_file(&content, path, e) < 0)
		return -1;
	if (!parse_is_utf8(content.data, content.length))
		return err_set(e, ERR_INVALID, NULL, "%s: not UTF-8", path);
	if (db_begin(db, &tx, e) < 0 ||
	    apply_in_transaction(tx, item, path, &content, ret_applied, e) < 0)
		return -1;
	return db_commit(&tx, e);
}

/* Programs that serve requests take locks in orders of their own: who is the victim of a deadlock
 * with one of them begins again. */
static int apply_file(struct db *db, const char *directory, const struct migration *item,
		      bool *ret_applied, struct err *e)
{
	for (unsigned attempt = 1; try_file(db, directory, item, ret_applied, e) < 0; attempt++) {
		if (attempt == ATTEMPTS_MAX || strstr(e->message, SQLSTATE_DEADLOCK) == NULL)
			return -1;
	}
	return 0;
}

int migrate_apply(struct db *db, const char *directory, struct migrations *ret_applied,
		  struct err *e)
{
	CLEANUP(migrations_clear) struct migrations files = { 0 };
	CLEANUP(migrations_clear) struct migrations applied = { 0 };

	if (read_directory(directory, &files, e) < 0)
		return -1;
	for (size_t i = 0; i < files.count; i++) {
		bool now = false;
		if (apply_file(db, directory, &files.items[i], &now, e) < 0)
			return -1;
		if (now)
			migrations_add(&applied, &files.items[i]);
	}
	*ret_applied = STEAL_STRUCT(applied);
	return 0;
}

/* ---- looking --------------------------------------------------------------------------------- */

static void note_applied(struct migrations *m, const PGresult *r)
{
	for (int row = 0; row < db_rows(r); row++) {
		int64_t version = db_int(r, row, 0);
		if (version < 1 || (uint64_t)version > m->count)
			continue; /* belongs to a newer release */
		struct migration *item = &m->items[version - 1];
		(void)snprintf(item->applied_at, sizeof(item->applied_at), "%s",
			       db_text(r, row, 1));
	}
}

int migrate_list(struct db *db, const char *directory, struct migrations *ret_list, struct err *e)
{
	CLEANUP(migrations_clear) struct migrations files = { 0 };
	CLEANUP(db_result_free) PGresult *exists = NULL;
	CLEANUP(db_result_free) PGresult *rows = NULL;

	if (read_directory(directory, &files, e) < 0 ||
	    db_query(db, &statements[STATEMENT_TABLE_EXISTS], NULL, &exists, e) < 0)
		return -1;
	if (db_bool(exists, 0, 0)) {
		if (db_query(db, &statements[STATEMENT_LIST], NULL, &rows, e) < 0)
			return -1;
		note_applied(&files, rows);
	}
	*ret_list = STEAL_STRUCT(files);
	return 0;
}

int migrate_latest(const char *directory, unsigned *ret_version, struct err *e)
{
	CLEANUP(migrations_clear) struct migrations files = { 0 };

	if (read_directory(directory, &files, e) < 0)
		return -1;
	*ret_version = files.count > 0 ? files.items[files.count - 1].version : 0;
	return 0;
}

int migrate_check(struct db *db, struct err *e)
{
	CLEANUP(db_result_free) PGresult *r = NULL;
	struct err failed;
	int64_t version = 0;

	if (db_query(db, &statements[STATEMENT_CURRENT], NULL, &r, &failed) == 0) {
		version = db_int(r, 0, 0);
		/* the expected errors: no such table, or no right */
	} else if (failed.kind != ERR_INTERNAL) {
		if (e != NULL)
			*e = failed;
		return -1;
	}
	if (version >= MIGRATE_SCHEMA_VERSION)
		return 0;
	return err_set(e, ERR_UNAVAILABLE, "SCHEMA_OUTDATED",
		       "the database has version %lld of the schema and %d is needed: run fsactl "
		       "migrate",
		       (long long)version, MIGRATE_SCHEMA_VERSION);
}
