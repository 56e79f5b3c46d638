#ifndef FSA_CTL_ADMINISTRATOR_H
#define FSA_CTL_ADMINISTRATOR_H

#include <jansson.h>

#include "base/err.h"
#include "db/db.h"

/* Adds a line to the audit, inside the transaction of the action: the action
 * ("admin.user.disable"), the object, and, as the detail, the name of the system user who did
 * it. */
int administrator_note(struct db *tx, const char *action, const char *object_type,
		       const char *object_id, struct err *e);
/* The same for an object that belongs to a user: the detail names that user, so that `fsactl audit
 * --user` finds the line. (If the object is the user, it is found in any case.) */
int administrator_note_to(struct db *tx, const char *user_id, const char *action,
			  const char *object_type, const char *object_id, struct err *e);

/* The same with more in the detail. */
int administrator_note_detail(struct db *tx, const char *action, const char *object_type,
			      const char *object_id, json_t *more, struct err *e);

#endif
