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

/* From the same: a container that has ended before and is not ready yet. A container that crashes
 * repeatedly runs for moments in between, during which nothing else is wrong with its pod. */
bool diagnose_restarted_pod(const json_t *pod, struct err *ret_cause);

/* Whether the cause is no more than that the pod's volumes are still being made, which the
 * scheduler says of every pod whose StorageClass binds immediately. Source: kube-scheduler,
 * VolumeBinding. */
bool diagnose_awaits_volumes(const struct err *cause);

/* From events (core/v1 Event items) about objects: the members of `since` are their UIDs, each with
 * the time from which on its events count ("": always). Finds the newest warning that says more
 * than a pod's status: mounts, volumes, refused pods (quota, LimitRange, admission), and probes, if
 * these count. A warning no longer counts once its object has made progress. False: there is
 * none. */
bool diagnose_events(const json_t *events, const json_t *since, bool probes_count,
		     struct err *ret_cause);

/* From the same: the last message of an autoscaler about a pod without a node (Normal events of
 * cluster-autoscaler and Karpenter). True: it is adding a node. In either case, the message is put
 * before the cause's. */
bool diagnose_autoscaler(const json_t *events, const json_t *since, struct err *cause);

/* From a KubeBlocks Cluster: phase Failed or Abnormal, or provisioning that cannot begin. */
bool diagnose_cluster(const json_t *cluster, struct err *ret_cause);

#endif
