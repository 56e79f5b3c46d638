#ifndef FSA_DB_MIGRATE_H
#define FSA_DB_MIGRATE_H

#include "base/err.h"
#include "db/db.h"

/*
 * Migrations: files NNNN_name.sql, applied in order, each in a transaction of its own under one
 * advisory transaction lock, so that any number of hosts may run this at once. What was applied is
 * kept in schema_migrations (version, name, checksum, applied_at); a file that differs from what
 * was applied under its number is an error, so is a gap in the sequence.
 */
struct migration_report {
	unsigned applied; /* now */
	unsigned current; /* version after it */
};

int migrate_apply(struct db *db, const char *directory, struct migration_report *ret_report,
		  struct err *e);

/* The version of the schema that this build needs, and whether the database has at least that. */
#define MIGRATE_SCHEMA_VERSION 2
int migrate_check(struct db *db, struct err *e);

#endif
