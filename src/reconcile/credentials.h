#ifndef FSA_RECONCILE_CREDENTIALS_H
#define FSA_RECONCILE_CREDENTIALS_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/err.h"
#include "reconcile/wanted.h"
#include "store/queue.h"

/* The connection of a database, from the Secret that KubeBlocks 0.8 makes for it
 * (<cluster>-conn-credential: endpoint, host, password, port, username). */
struct credentials {
	char *host, *username; /* NULL: nothing was learnt */
	int port;
	struct buf password_sealed;
};

/* The caller frees. */
char *credentials_secret_name(const char *cluster_name);

/*
 * Reads the Secret. If it tells something new, it is kept in `c` and the row is made to show it, so
 * that it can be assessed again; an incomplete Secret is no news. ERR_KUBE_PROTOCOL: values that
 * cannot be a connection.
 */
int credentials_learn(struct credentials *c, const json_t *secret, struct queue_row *row,
		      const struct wanted_context *context, struct err *e);
/* Puts what was learnt into a result. */
void credentials_to_result(const struct credentials *c, struct queue_result *result);
void credentials_clear(struct credentials *c);

#endif
