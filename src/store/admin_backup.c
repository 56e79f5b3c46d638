#include "store/admin_backup.h"

#include <stdio.h>

#include "base/cleanup.h"
#include "store/internal.h"

enum statement {
	STATEMENT_ISOLATE,
	STATEMENT_SNAPSHOT,
	STATEMENT_TABLES,
	STATEMENT_PEOPLE,
	STATEMENT_RENAME,
	STATEMENT_CREATE,
	STATEMENT_DROP,
	STATEMENT_DROP_ASIDE,
	STATEMENT_RENAME_BACK,
};

#define ASIDE "fsa_before_restore"

/* SQL is laid out by hand. */
/* clang-format off */
static const struct db_statement statements[] = {
	[STATEMENT_ISOLATE] = { "backup_isolate",
		"SET TRANSACTION ISOLATION LEVEL REPEATABLE READ" },
	[STATEMENT_SNAPSHOT] = { "backup_snapshot",
		"SELECT pg_export_snapshot(), iso8601(now()),"
		" (SELECT max(version) FROM schema_migrations)" },
	[STATEMENT_TABLES] = { "backup_tables",
		"SELECT count(*) > 0, to_regclass('public.users') IS NOT NULL"
		"  AND to_regclass('public.schema_migrations') IS NOT NULL"
		" FROM pg_tables WHERE schemaname = 'public'" },
	[STATEMENT_PEOPLE] = { "backup_people", "SELECT EXISTS (SELECT FROM users)" },
	[STATEMENT_RENAME] = { "backup_rename", "ALTER SCHEMA public RENAME TO " ASIDE },
	[STATEMENT_CREATE] = { "backup_create", "CREATE SCHEMA public" },
	[STATEMENT_DROP] = { "backup_drop", "DROP SCHEMA public CASCADE" },
	[STATEMENT_DROP_ASIDE] = { "backup_drop_aside", "DROP SCHEMA IF EXISTS " ASIDE " CASCADE" },
	[STATEMENT_RENAME_BACK] = { "backup_rename_back", "ALTER SCHEMA " ASIDE " RENAME TO public" },
};
/* clang-format on */

static int run(struct db *db, enum statement statement, struct err *e)
{
	return db_query(db, &statements[statement], NULL, NULL, e);
}

int admin_snapshot(struct db *tx, struct admin_snapshot *ret_snapshot, struct err *e)
{
	CLEANUP(db_result_free) PGresult *r = NULL;
	struct admin_snapshot s;

	if (run(tx, STATEMENT_ISOLATE, e) < 0 ||
	    db_query(tx, &statements[STATEMENT_SNAPSHOT], NULL, &r, e) < 0)
		return -1;
	(void)snprintf(s.id, sizeof(s.id), "%s", db_text(r, 0, 0));
	(void)snprintf(s.at, sizeof(s.at), "%s", db_text(r, 0, 1));
	s.schema = (int)db_int(r, 0, 2);
	*ret_snapshot = s;
	return 0;
}

int admin_is_in_use(struct db *db, bool *ret_used, struct err *e)
{
	CLEANUP(db_result_free) PGresult *tables = NULL;
	CLEANUP(db_result_free) PGresult *people = NULL;

	*ret_used = false;
	if (db_query(db, &statements[STATEMENT_TABLES], NULL, &tables, e) < 0)
		return -1;
	if (!db_bool(tables, 0, 0))
		return 0;
	if (!db_bool(tables, 0, 1))
		return err_set(e, ERR_CONFLICT, "FOREIGN_DATABASE",
			       "the database has tables of another program: name another one in "
			       "fsa.conf");
	if (db_query(db, &statements[STATEMENT_PEOPLE], NULL, &people, e) < 0)
		return -1;
	*ret_used = db_bool(people, 0, 0);
	return 0;
}

int admin_put_aside(struct db *db, struct err *e)
{
	CLEANUP(db_rollback_guard) struct db *tx = NULL;

	if (db_begin(db, &tx, e) < 0 || run(tx, STATEMENT_DROP_ASIDE, e) < 0 ||
	    run(tx, STATEMENT_RENAME, e) < 0 || run(tx, STATEMENT_CREATE, e) < 0)
		return -1;
	return db_commit(&tx, e);
}

int admin_drop_aside(struct db *db, struct err *e)
{
	return run(db, STATEMENT_DROP_ASIDE, e);
}

int admin_bring_back(struct db *db, struct err *e)
{
	CLEANUP(db_rollback_guard) struct db *tx = NULL;

	if (db_begin(db, &tx, e) < 0 || run(tx, STATEMENT_DROP, e) < 0 ||
	    run(tx, STATEMENT_RENAME_BACK, e) < 0)
		return -1;
	return db_commit(&tx, e);
}
