#ifndef FSA_DB_MIGRATE_H
#define FSA_DB_MIGRATE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "db/db.h"

/*
 * Migrations: files NNNN_name.sql, numbered from 0001 without a gap, applied in order, each in a
 * transaction of its own under one advisory transaction lock, so that any number of hosts may run
 * this at once. What was applied is kept in schema_migrations (version, name, checksum,
 * applied_at); a file that differs from what was applied under its number is an error. A file is
 * at most 1 MiB and does not end its transaction.
 */
struct migration {
	unsigned version;
	char file[256];      /* its name in the directory */
	char applied_at[32]; /* "": not applied */
};

struct migrations {
	size_t count;
	struct migration *items;
};

/* Applies the missing migrations, and returns them in `ret_applied`. Errors name file, line and the
 * server's message (ERR_INVALID for faults of the files, the kinds of db_query() otherwise). */
int migrate_apply(struct db *db, const char *directory, struct migrations *ret_applied,
		  struct err *e);

/* What is in the directory, and when it was applied to this database. */
int migrate_list(struct db *db, const char *directory, struct migrations *ret_list, struct err *e);

void migrations_clear(struct migrations *m); /* for CLEANUP */

/* The number of the last migration that is in the directory. */
int migrate_latest(const char *directory, unsigned *ret_version, struct err *e);
/* Whether the database has at least the schema that this build needs, which is that of the last
 * migration when it was built: ERR_UNAVAILABLE with code SCHEMA_OUTDATED if not. */
int migrate_check(struct db *db, struct err *e);

#endif
