#ifndef FSA_CTL_CLUSTERS_H
#define FSA_CTL_CLUSTERS_H

#include <stddef.h>

#include "ctl/command.h"
#include "kube/client.h"
#include "store/admin.h"

/*
 * The users' clusters: their kubeconfigs opened with the cluster key, which fsactl therefore needs
 * to be able to read, and one client for requests to all of them at once. Times and address policy
 * are those of the reconciler.
 */
struct clusters;

struct cluster {
	const struct admin_access *access;
	struct kube_target *target; /* NULL: the kubeconfig cannot be used, see err */
	struct err err;
};

/* Of all users, or of one. ERR_INVALID: the private cluster key cannot be read. */
int clusters_open(const struct call *call, struct db *db, const char *user_id,
		  struct clusters **ret_clusters, struct err *e);
void clusters_freep(struct clusters **clusters);

size_t clusters_count(const struct clusters *clusters);
struct cluster *clusters_at(struct clusters *clusters, size_t i);
/* NULL: there is none of this id. */
struct cluster *clusters_find(struct clusters *clusters, const char *id);
struct kube_client *clusters_client(struct clusters *clusters);
/* Until all requests have been answered. */
void clusters_wait(struct clusters *clusters);

#endif
