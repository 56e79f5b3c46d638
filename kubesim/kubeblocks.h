#ifndef KUBESIM_KUBEBLOCKS_H
#define KUBESIM_KUBEBLOCKS_H

#include <stdbool.h>

#include "kind.h"
#include "path.h"

#define KUBEBLOCKS_GROUP "apps.kubeblocks.io"

/*
 * The releases of KubeBlocks, one of which may be installed: what a client of each sees of a
 * PostgreSQL. A row each in kubeblocks.c.
 */
struct kubeblocks {
	const char *release; /* "0.8" */
	enum kind_id kind;   /* of its Clusters */
	const char *types;   /* further types of the group, in discovery; separated by blanks */
	bool stops_by_replicas;
	const char *secret, *service; /* what follows a Cluster's name in the names of these */
	bool secret_is_account;       /* it has no host and port */
};

/* NULL: there is no such release. */
const struct kubeblocks *kubeblocks_find(const char *release);

/* Withholds from a path what is not installed (NULL: KubeBlocks is not), and finds the release's
 * own type. */
void kubeblocks_resolve(const struct kubeblocks *installed, struct path *path);

#endif
