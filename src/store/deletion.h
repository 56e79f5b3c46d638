#ifndef FSA_STORE_DELETION_H
#define FSA_STORE_DELETION_H

#include <jansson.h>

#include "base/err.h"
#include "db/db.h"

/*
 * Deleting a user. It is asked for once, and from then on nobody logs in as them; their projects
 * are deleted with their own kubeconfig, as if they had asked for it; the user's rows go when the
 * last of them has gone, which every pass looks after. A crash at any point loses nothing of that.
 */

/* What it costs: {"projects", "sandboxes", "databases", "variables", "places": [{"kind",
 * "name", "namespace", "server", "volume", "status", "causeCode"}]}. */
int deletion_cost(struct db *db, const char *user_id, json_t **ret_cost, struct err *e);
/* Inside a transaction. Asked for already: goes on. */
int deletion_ask(struct db *tx, const char *user_id, struct err *e);
/* Drops what was not confirmed to be gone: whatever there is of it in the cluster stays there.
 * ERR_CONFLICT NOT_DELETED: deletion has not been asked for. */
int deletion_forget(struct db *tx, const char *user_id, struct err *e);
/* What is to be done next, for all users: may be called at any time. */
int deletion_finish(struct db *db, struct err *e);

#endif
