#ifndef FSA_RECONCILE_CREDENTIALS_H
#define FSA_RECONCILE_CREDENTIALS_H

#include <stdbool.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/err.h"
#include "reconcile/desired.h"
#include "store/queue.h"

/* The connection of a database, from the Secret that KubeBlocks 0.8 makes for it
 * (<cluster>-conn-credential: endpoint, host, password, port, username). It belongs to one Cluster
 * object: to the next one of that name, another. */
struct credentials {
	bool lost;                                      /* those that the row had */
	char *host, *database, *username, *cluster_uid; /* host NULL: nothing was learnt */
	int port;
	struct buf password_sealed;
};

/* The caller frees. */
char *credentials_secret_name(const char *cluster_name);

/* Whether the row has a connection, and not one that is known to be of another Cluster. */
bool credentials_fit(const struct queue_row *row, const json_t *cluster);
/* Whether the one that it has was that of a Cluster that is no more. `cluster` NULL: there is none.
 */
bool credentials_are_dead(const struct queue_row *row, const json_t *cluster);
/* Whether the Secret must be read now: it is not known, or not whose it is; or this is a resync,
 * for it may have been changed. */
bool credentials_are_due(const struct queue_row *row, const json_t *cluster);
/*
 * Reads the Secret of a Cluster. If it has something new, that is kept in `c` and the row is made
 * to show it, so that it can be assessed again; a Secret that is incomplete, or was left behind by
 * another Cluster, is no news. ERR_KUBE_PROTOCOL: values that cannot be a connection.
 */
int credentials_learn(struct credentials *c, const json_t *secret, const json_t *cluster,
		      struct queue_row *row, const struct desired_context *context, struct err *e);
/* What it was the connection to is no more: the row shows none until another is learnt. */
void credentials_forget(struct credentials *c, struct queue_row *row);
/* Puts what was learnt into a result. */
void credentials_to_result(const struct credentials *c, struct queue_result *result);
void credentials_clear(struct credentials *c);

#endif
