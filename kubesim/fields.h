#ifndef KUBESIM_FIELDS_H
#define KUBESIM_FIELDS_H

#include "schema.h"

/*
 * The fields of the types that are served, from the Kubernetes API reference (v1.36) and, for the
 * Cluster, tools/cluster/kubeblocks/crd.yaml. Has all fields that the project writes and those
 * around them; for rarely used parts (other ephemeral volumes, affinity), only their existence.
 */
extern const struct schema fields_namespace, fields_stateful_set, fields_pod, fields_service,
	fields_ingress, fields_network_policy, fields_secret, fields_claim, fields_event,
	fields_service_account, fields_role, fields_role_binding, fields_quota, fields_limit_range,
	fields_cluster, fields_cluster_0_9, fields_cluster_1_0;

#endif
