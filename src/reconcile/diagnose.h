#ifndef FSA_RECONCILE_DIAGNOSE_H
#define FSA_RECONCILE_DIAGNOSE_H

#include <stdbool.h>

#include <jansson.h>

#include "base/err.h"

/* Why something that should be ready is not: pure functions of what the cluster shows. */

/* From a pod's own status: image pull, crash loop, container that cannot be made, unschedulable,
 * failed. True and `ret_cause` if something is wrong with it, false if it is merely not ready yet.
 * Source: the Kubernetes API reference, PodStatus and ContainerStateWaiting; reasons as kubelet and
 * scheduler write them. */
bool diagnose_pod(const json_t *pod, struct err *ret_cause);

/* From the same: a container that has ended before and is not ready yet. One that ends again and
 * again runs for moments in between, during which nothing else is wrong with its pod. */
bool diagnose_restarted_pod(const json_t *pod, struct err *ret_cause);

/* Whether the cause is no more than that the pod's volumes are still being made, which the
 * scheduler says of every pod whose StorageClass binds immediately. Source: kube-scheduler,
 * VolumeBinding. */
bool diagnose_awaits_volumes(const struct err *cause);

/* From events (core/v1 Event items) about the objects that `since` has as members, by UID, each
 * with the time from when on they count ("": whenever): the newest warning that says more than a
 * pod's status does: mounts, volumes, pods that were refused (quota, LimitRange, admission), and
 * probes, if these count. It is over once its object goes a step further. False: there is none. */
bool diagnose_events(const json_t *events, const json_t *since, bool probes_count,
		     struct err *ret_cause);

/* From the same: what an autoscaler said last about a pod without a node (Normal events of
 * cluster-autoscaler and Karpenter). True: it adds a node. Either is put before the cause's
 * message. */
bool diagnose_autoscaler(const json_t *events, const json_t *since, struct err *cause);

/* From a KubeBlocks Cluster: phase Failed or Abnormal, or provisioning that cannot begin. */
bool diagnose_cluster(const json_t *cluster, struct err *ret_cause);

#endif
