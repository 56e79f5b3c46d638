#ifndef FSA_CTL_ADMINISTRATOR_H
#define FSA_CTL_ADMINISTRATOR_H

#include <jansson.h>

#include "base/err.h"
#include "db/db.h"

/* Adds a line to the audit, inside the transaction of what was done: action ("admin.user.disable")
 * and object, and as its detail the name of the system's user who did it. */
int administrator_note(struct db *tx, const char *action, const char *object_type,
		       const char *object_id, struct err *e);
/* The same of what belongs to a user, who is named in the detail: `fsactl audit --user` finds it.
 * (An object that is a user needs no other to be found.) */
int administrator_note_to(struct db *tx, const char *user_id, const char *action,
			  const char *object_type, const char *object_id, struct err *e);

/* The same with more in the detail. */
int administrator_note_detail(struct db *tx, const char *action, const char *object_type,
			      const char *object_id, json_t *more, struct err *e);

#endif
