#include "store/writable.h"

#include "base/cleanup.h"

/* A new table: only a new file is certain to need disk space, and no lock, such as a backup's, is
 * in the way. */
static const struct db_statement probe[] = {
	{ "writable_table", "CREATE TEMPORARY TABLE fsa_write_probe (number integer)" },
	{ "writable_row", "INSERT INTO fsa_write_probe VALUES (1)" },
};

/* Statements that need a role's rights, which may be missing after a restore. The first without SQL
 * is the end. */
static const struct db_statement rights[WRITABLE_BY_COUNT][3] = {
	[WRITABLE_BY_API] = {
		{ "writable_audit", "INSERT INTO audit (action) SELECT '' WHERE false" },
		{ "writable_resources", "UPDATE resources SET due_at = due_at WHERE false" },
	},
	[WRITABLE_BY_AUTH] = {
		{ "writable_session",
		  "INSERT INTO sessions (id_hash, user_id, identity_id, expires_at)"
		  " SELECT id_hash, user_id, identity_id, expires_at FROM sessions WHERE false" },
	},
};

int writable_check_rights(struct db *db, enum writable_by by, struct err *e)
{
	for (size_t i = 0; rights[by][i].sql != NULL; i++) {
		if (db_query(db, &rights[by][i], NULL, NULL, e) < 0)
			return -1;
	}
	return 0;
}

int writable_check(struct db *db, enum writable_by by, struct err *e)
{
	CLEANUP(db_rollback_guard) struct db *tx = NULL;

	if (db_begin(db, &tx, e) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(probe); i++) {
		if (db_query(tx, &probe[i], NULL, NULL, e) < 0)
			return -1;
	}
	return writable_check_rights(tx, by, e);
}
