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
/* Must be the first statement of a transaction, which from then on sees the same snapshot as
 * pg_dump. */
int admin_snapshot(struct db *tx, struct admin_snapshot *ret_snapshot, struct err *e);

/* Whether a restore would lose data: the database is one of ours and has users. ERR_CONFLICT: it
 * has tables of another application. */
int admin_is_in_use(struct db *db, bool *ret_used, struct err *e);

/* A restore, all or nothing: the present contents are put aside, which leaves an empty schema, and
 * are then either dropped or brought back. */
int admin_put_aside(struct db *db, struct err *e);
int admin_drop_aside(struct db *db, struct err *e);
int admin_bring_back(struct db *db, struct err *e);

#endif
