#ifndef FSA_STORE_MAINTENANCE_H
#define FSA_STORE_MAINTENANCE_H

#include <stdbool.h>

#include <jansson.h>

#include "base/err.h"
#include "db/db.h"

/*
 * Maintenance: reads work, and only administrators can change anything. It is a row of the
 * database, so it applies to all hosts at once. The reconciler continues with earlier requests.
 */
enum { MAINTENANCE_MESSAGE_MAX = 500, MAINTENANCE_RETRY_S = 60 };

/* Before a change, in its transaction: ERR_MAINTENANCE with the operator's text. */
int maintenance_begin_change(struct db *db, struct err *e);
/* {"message", "since"}, or null when there is none. */
int maintenance_get(struct db *db, json_t **ret_maintenance, struct err *e);
/* `message` NULL: it is over. A new message leaves the time since when as it is. */
int maintenance_set(struct db *db, const char *message, struct err *e);
/* After that was committed: waits until every change that had begun before has ended. */
int maintenance_wait(struct db *db, struct err *e);

#endif
