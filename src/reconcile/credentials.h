#ifndef FSA_RECONCILE_CREDENTIALS_H
#define FSA_RECONCILE_CREDENTIALS_H

#include <stdbool.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/err.h"
#include "reconcile/desired.h"
#include "store/queue.h"

/* The connection of a database, from the Secret that KubeBlocks makes for it:
 * <cluster>-conn-credential (endpoint, host, password, port, username) up to 0.9,
 * <cluster>-postgresql-account-postgres (password, username) from 1.0 on. It belongs to one Cluster
 * object, by its UID: a later one of the same name has another connection. Or of one of ours, for
 * which it is made here, once. */
struct credentials {
	bool lost;                                      /* the connection that the row had */
	char *host, *database, *username, *cluster_uid; /* host NULL: nothing was learnt */
	int port;
	struct buf password_sealed;
};

/* The caller frees. */
char *credentials_secret_name(const struct queue_row *row);

/* A new connection for a database of ours, with a password of its own: kept in `c`, and shown in
 * `ret_connection`, which borrows from it. */
int credentials_make(struct credentials *c, const struct queue_row *row,
		     const struct desired_context *context, struct queue_connection *ret_connection,
		     struct err *e);

/* Whether the row has a connection that is not known to belong to another Cluster. */
bool credentials_fit(const struct queue_row *row, const json_t *cluster);
/* Whether the row's connection belonged to a Cluster that no longer exists. `cluster` may
 * be NULL. */
bool credentials_are_dead(const struct queue_row *row, const json_t *cluster);
/* Whether the Secret must be read now: the connection is unknown or may belong to another Cluster,
 * or this is a resync, as it may have changed. */
bool credentials_are_due(const struct queue_row *row, const json_t *cluster);
/*
 * Reads the Secret of a Cluster. A new connection is kept in `c` and shown in the row, so that the
 * row can be assessed again; a Secret that is incomplete, or left over from another Cluster, is
 * ignored. ERR_KUBE_PROTOCOL: its values cannot be a connection.
 */
int credentials_learn(struct credentials *c, const json_t *secret, const json_t *cluster,
		      struct queue_row *row, const struct desired_context *context, struct err *e);
/* The Cluster of the connection no longer exists: the row has none until another is read. */
void credentials_forget(struct credentials *c, struct queue_row *row);
/* Adds the connection to a result. */
void credentials_to_result(const struct credentials *c, struct queue_result *result);
void credentials_clear(struct credentials *c);

#endif
