#ifndef FSA_CTL_ADMINISTRATOR_H
#define FSA_CTL_ADMINISTRATOR_H

#include "base/err.h"
#include "db/db.h"

/* Adds a line to the audit, inside the transaction of what was done: action ("admin.user.disable")
 * and object, and as its detail the name of the system's user who did it. */
int administrator_note(struct db *tx, const char *action, const char *object_type,
		       const char *object_id, struct err *e);

#endif
