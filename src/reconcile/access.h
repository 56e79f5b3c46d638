#ifndef FSA_RECONCILE_ACCESS_H
#define FSA_RECONCILE_ACCESS_H

#include "base/err.h"
#include "crypto/seal.h"
#include "kube/client.h"
#include "store/queue.h"

/*
 * Access to the users' clusters: opens a row's kubeconfig and keeps one target for each
 * cluster and version of it, so that all rows in a cluster share a connection, and a renewed
 * kubeconfig is used by the next row. There is one `struct access` per pass; targets live until
 * access_free(), which must be called after their requests end.
 */
struct access;

struct access *access_new(const struct keyring *cluster_private);
void access_free(struct access *access);

/* A kubeconfig as it is stored. */
struct access_kubeconfig {
	const char *cluster_id, *user_id;
	int64_t version;
	const void *sealed;
	size_t sealed_length;
};
/* The target of a kubeconfig, borrowed. ERR_KUBECONFIG: KUBECONFIG_UNREADABLE. */
int access_open(struct access *access, const struct access_kubeconfig *kubeconfig,
		struct kube_target **ret_target, struct err *e);

/*
 * The target for a row, borrowed. ERR_KUBECONFIG: KUBECONFIG_MISSING, KUBECONFIG_UNREADABLE, or
 * KUBECONFIG_ELSEWHERE: it is for another server or namespace than the row's objects are in, so
 * whatever it would show says nothing about them.
 */
int access_target(struct access *access, const struct queue_row *row,
		  struct kube_target **ret_target, struct err *e);

/* The last of these conditions alone: ERR_KUBECONFIG, KUBECONFIG_ELSEWHERE. */
int access_check(const struct kube_target *target, const struct queue_row *row, struct err *e);

#endif
