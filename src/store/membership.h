#ifndef FSA_STORE_MEMBERSHIP_H
#define FSA_STORE_MEMBERSHIP_H

#include <jansson.h>

#include "base/err.h"
#include "db/db.h"
#include "domain/role.h"
#include "store/store.h"

/*
 * Members of projects. What somebody may do in a project is decided in one place, the view
 * project_access: the router reads it by this function, for each route with a project's id, and
 * compares the role with that of the route. Handlers then name the project's owner to the store,
 * whose functions reach an object through its owner as before; so a handler that was forgotten
 * serves the owner only.
 */
struct project_access {
	char owner_id[STORE_ID_LENGTH + 1];
	enum project_role role;
};
/* What `user_id` is to a project. Of one that nobody has: its owner, who will not find it.
 * ERR_NOT_FOUND PROJECT_NOT_FOUND: it is somebody else's. */
int project_access_get(struct db *db, const char *user_id, const char *project_id,
		       struct project_access *ret_access, struct err *e);
/* The same for a change, in its transaction: until its end nobody is removed from a project that
 * is somebody else's, because the project is locked, as by those who remove. */
int project_access_hold(struct db *tx, const char *user_id, const char *project_id,
			struct project_access *ret_access, struct err *e);
/* The projects that somebody is a member of but does not own, as an object: id → {role, owner (the
 * name)}. The caller json_decref()s. */
int project_access_shared(struct db *db, const char *user_id, json_t **ret_shared, struct err *e);

enum { PROJECT_MEMBERS_MAX = 50 }; /* of a project, invitations included */

/* The owner and the members as an array of objects: id (of the user), name, role, addedAt. The
 * caller json_decref()s. */
int membership_list(struct db *db, const char *owner_id, const char *project_id,
		    json_t **ret_members, struct err *e);
/* ERR_NOT_FOUND MEMBER_NOT_FOUND. A smaller role withdraws what the larger one gave. */
int membership_set_role(struct db *tx, const char *owner_id, const char *project_id,
			const char *member_id, enum project_role role, struct err *e);
/* Whatever they hold for the project's sandboxes is withdrawn. ERR_NOT_FOUND MEMBER_NOT_FOUND. */
int membership_end(struct db *tx, const char *owner_id, const char *project_id,
		   const char *member_id, struct err *e);
/* Notes that a member got a token for a sandbox, which ends in so many seconds. */
int membership_note_token(struct db *tx, const char *project_id, const char *member_id,
			  int64_t lifetime_s, struct err *e);

#endif
