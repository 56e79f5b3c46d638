#ifndef FSA_STORE_AUDIT_H
#define FSA_STORE_AUDIT_H

#include <jansson.h>

#include "base/err.h"
#include "db/db.h"

struct audit_entry {
	const char *user_id, *identity_id; /* NULL: nobody known */
	const char *action;                /* "project.create" */
	const char *object_type, *object_id;
	const char *address, *request_id;
	const json_t *detail; /* NULL: {}; never a secret */
};
int audit_add(struct db *db, const struct audit_entry *entry, struct err *e);

#endif
