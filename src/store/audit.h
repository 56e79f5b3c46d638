#ifndef FSA_STORE_AUDIT_H
#define FSA_STORE_AUDIT_H

#include <stdint.h>

#include <jansson.h>

#include "base/err.h"
#include "db/db.h"

struct audit_entry {
	const char *user_id, *identity_id; /* NULL: nobody known */
	const char *owner_id; /* who sees the line, too: whose project it is; or NULL */
	const char *action;   /* "project.create" */
	const char *object_type, *object_id;
	const char *address, *request_id;
	const json_t *detail; /* NULL: {}; never a secret */
};
int audit_add(struct db *db, const struct audit_entry *entry, struct err *e);

/* What was done by a user, or tried as them, and by members of their projects there, the newest
 * first: up to `limit` lines before the one with the id `before_id` (0: from the newest on), as an
 * array of objects: id, at, action, objectType, objectId, by (the member; null: the user; "":
 * somebody who is not known), address, requestId, provider and identityId (by which they were
 * logged in; provider null: that identity is gone), detail. A member's address and identity are
 * null. The caller json_decref()s. */
int audit_list(struct db *db, const char *user_id, int64_t before_id, unsigned limit,
	       json_t **ret_lines, struct err *e);

#endif
