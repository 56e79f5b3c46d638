#ifndef FSA_STORE_ORIGINAL_H
#define FSA_STORE_ORIGINAL_H

#include <jansson.h>

#include "base/err.h"
#include "db/db.h"

/*
 * The database of the TypeScript original (versions 0.4 and later, whose tables name "sandboxName"
 * and "databaseName"), as an administrator moves from it. It is only read, and as hostile as any
 * input: the results are unchecked text. Lists are arrays of objects, each with the members of the
 * Prisma model of that name; the caller json_decref()s.
 */

enum original_table {
	ORIGINAL_USERS,
	ORIGINAL_IDENTITIES,
	ORIGINAL_CONFIGS,
	ORIGINAL_PROJECTS,
	ORIGINAL_ENVIRONMENTS,
	ORIGINAL_SANDBOXES,
	ORIGINAL_DATABASES,
	ORIGINAL_TABLE_COUNT
};

/* All rows, oldest first. ERR_INTERNAL names a table or column that is not there. */
int original_read(struct db *db, enum original_table table, json_t **ret_rows, struct err *e);

#endif
