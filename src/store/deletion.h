#ifndef FSA_STORE_DELETION_H
#define FSA_STORE_DELETION_H

#include <jansson.h>

#include "base/err.h"
#include "db/db.h"

/*
 * Deleting a user. It is requested once, and from then on nobody can log in as them. Their projects
 * are deleted with their own kubeconfig, as if they had requested it. When the last project is
 * gone, a pass deletes the user's rows. A crash at any point loses nothing.
 */

/* What it costs: {"projects", "sandboxes", "databases", "variables", "places": [{"kind",
 * "name", "namespace", "server", "volume", "status", "causeCode"}]}. */
int deletion_cost(struct db *db, const char *user_id, json_t **ret_cost, struct err *e);
/* Inside a transaction. If it was requested already, it continues. */
int deletion_ask(struct db *tx, const char *user_id, struct err *e);
/* Drops projects that were not confirmed to be gone: their objects in the cluster, if any, stay
 * there. ERR_CONFLICT NOT_DELETED: deletion has not been requested. */
int deletion_forget(struct db *tx, const char *user_id, struct err *e);
/* What is to be done next, for all users: may be called at any time. */
int deletion_finish(struct db *db, struct err *e);

#endif
