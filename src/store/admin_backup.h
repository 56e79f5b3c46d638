#ifndef FSA_STORE_ADMIN_BACKUP_H
#define FSA_STORE_ADMIN_BACKUP_H

#include <stdbool.h>

#include "base/err.h"
#include "db/db.h"

/* What fsactl backup and restore need of the database beside pg_dump and pg_restore, as the
 * schema's owner. */

struct admin_snapshot {
	char id[64]; /* for pg_dump --snapshot, while the transaction is open */
	char at[40]; /* the database's clock, ISO 8601 */
	int schema;  /* number of the last migration */
};
/* The first of a transaction, which from then on sees what pg_dump does. */
int admin_snapshot(struct db *tx, struct admin_snapshot *ret_snapshot, struct err *e);

/* Whether a restore would lose something: people in a database of ours. ERR_CONFLICT: there are
 * tables of something else. */
int admin_is_in_use(struct db *db, bool *ret_used, struct err *e);

/* A restore, all or nothing: what is there is put aside, which leaves an empty schema; then it
 * goes, or comes back. */
int admin_put_aside(struct db *db, struct err *e);
int admin_drop_aside(struct db *db, struct err *e);
int admin_bring_back(struct db *db, struct err *e);

#endif
