#include "kind.h"

#include <string.h>

#include "base/cleanup.h"
#include "fields.h"
#include "kubeblocks.h"

#define CORE .group = "", .version = "v1", .api_version = "v1"
#define RBAC                                                                                       \
	.group = "rbac.authorization.k8s.io", .version = "v1",                                     \
	.api_version = "rbac.authorization.k8s.io/v1"
#define NETWORKING                                                                                 \
	.group = "networking.k8s.io", .version = "v1", .api_version = "networking.k8s.io/v1"

#define CLUSTER(of)                                                                                \
	.group = KUBEBLOCKS_GROUP, .version = of, .api_version = KUBEBLOCKS_GROUP "/" of,          \
	.plural = "clusters", .kind = "Cluster", .resource = "clusters." KUBEBLOCKS_GROUP,         \
	.kind_group = "Cluster." KUBEBLOCKS_GROUP, .namespaced = true, .has_status = true,         \
	.has_generation = true, .is_custom = true

static const struct kind kinds[KIND_COUNT] = {
	[KIND_NAMESPACE] = { .id = KIND_NAMESPACE,
			     CORE,
			     .plural = "namespaces",
			     .kind = "Namespace",
			     .resource = "namespaces",
			     .kind_group = "Namespace",
			     .has_status = true,
			     .schema = &fields_namespace },
	[KIND_STATEFULSET] = { .id = KIND_STATEFULSET,
			       .group = "apps",
			       .version = "v1",
			       .api_version = "apps/v1",
			       .plural = "statefulsets",
			       .kind = "StatefulSet",
			       .resource = "statefulsets.apps",
			       .kind_group = "StatefulSet.apps",
			       .namespaced = true,
			       .has_status = true,
			       .has_generation = true,
			       .schema = &fields_stateful_set },
	[KIND_POD] = { .id = KIND_POD,
		       CORE,
		       .plural = "pods",
		       .kind = "Pod",
		       .resource = "pods",
		       .kind_group = "Pod",
		       .namespaced = true,
		       .has_status = true,
		       .has_generation = true,
		       .schema = &fields_pod,
		       .selectable = { "status.phase", "spec.nodeName", "spec.serviceAccountName",
				       "spec.restartPolicy" } },
	[KIND_SERVICE] = { .id = KIND_SERVICE,
			   CORE,
			   .plural = "services",
			   .kind = "Service",
			   .resource = "services",
			   .kind_group = "Service",
			   .namespaced = true,
			   .has_status = true,
			   .schema = &fields_service,
			   .selectable = { "spec.clusterIP", "spec.type" } },
	[KIND_INGRESS] = { .id = KIND_INGRESS,
			   NETWORKING,
			   .plural = "ingresses",
			   .kind = "Ingress",
			   .resource = "ingresses.networking.k8s.io",
			   .kind_group = "Ingress.networking.k8s.io",
			   .namespaced = true,
			   .has_status = true,
			   .has_generation = true,
			   .schema = &fields_ingress },
	[KIND_NETWORK_POLICY] = { .id = KIND_NETWORK_POLICY,
				  NETWORKING,
				  .plural = "networkpolicies",
				  .kind = "NetworkPolicy",
				  .resource = "networkpolicies.networking.k8s.io",
				  .kind_group = "NetworkPolicy.networking.k8s.io",
				  .namespaced = true,
				  .has_generation = true,
				  .schema = &fields_network_policy },
	[KIND_SECRET] = { .id = KIND_SECRET,
			  CORE,
			  .plural = "secrets",
			  .kind = "Secret",
			  .resource = "secrets",
			  .kind_group = "Secret",
			  .namespaced = true,
			  .schema = &fields_secret,
			  .selectable = { "type" } },
	[KIND_CLAIM] = { .id = KIND_CLAIM,
			 CORE,
			 .plural = "persistentvolumeclaims",
			 .kind = "PersistentVolumeClaim",
			 .resource = "persistentvolumeclaims",
			 .kind_group = "PersistentVolumeClaim",
			 .namespaced = true,
			 .has_status = true,
			 .schema = &fields_claim },
	[KIND_EVENT] = { .id = KIND_EVENT,
			 CORE,
			 .plural = "events",
			 .kind = "Event",
			 .resource = "events",
			 .kind_group = "Event",
			 .namespaced = true,
			 .schema = &fields_event,
			 .selectable = { "type", "reason", "involvedObject.kind",
					 "involvedObject.name", "involvedObject.namespace",
					 "involvedObject.uid" } },
	[KIND_SERVICE_ACCOUNT] = { .id = KIND_SERVICE_ACCOUNT,
				   CORE,
				   .plural = "serviceaccounts",
				   .kind = "ServiceAccount",
				   .resource = "serviceaccounts",
				   .kind_group = "ServiceAccount",
				   .namespaced = true,
				   .schema = &fields_service_account },
	[KIND_ROLE] = { .id = KIND_ROLE,
			RBAC,
			.plural = "roles",
			.kind = "Role",
			.resource = "roles.rbac.authorization.k8s.io",
			.kind_group = "Role.rbac.authorization.k8s.io",
			.namespaced = true,
			.schema = &fields_role },
	[KIND_ROLE_BINDING] = { .id = KIND_ROLE_BINDING,
				RBAC,
				.plural = "rolebindings",
				.kind = "RoleBinding",
				.resource = "rolebindings.rbac.authorization.k8s.io",
				.kind_group = "RoleBinding.rbac.authorization.k8s.io",
				.namespaced = true,
				.schema = &fields_role_binding },
	[KIND_QUOTA] = { .id = KIND_QUOTA,
			 CORE,
			 .plural = "resourcequotas",
			 .kind = "ResourceQuota",
			 .resource = "resourcequotas",
			 .kind_group = "ResourceQuota",
			 .namespaced = true,
			 .has_status = true,
			 .schema = &fields_quota },
	[KIND_LIMIT_RANGE] = { .id = KIND_LIMIT_RANGE,
			       CORE,
			       .plural = "limitranges",
			       .kind = "LimitRange",
			       .resource = "limitranges",
			       .kind_group = "LimitRange",
			       .namespaced = true,
			       .schema = &fields_limit_range },
	[KIND_CLUSTER] = { .id = KIND_CLUSTER, CLUSTER("v1alpha1"), .schema = &fields_cluster },
	[KIND_CLUSTER_0_9] = { .id = KIND_CLUSTER_0_9,
			       CLUSTER("v1alpha1"),
			       .schema = &fields_cluster_0_9 },
	[KIND_CLUSTER_1_0] = { .id = KIND_CLUSTER_1_0,
			       CLUSTER("v1"),
			       .schema = &fields_cluster_1_0 },
};

const struct kind *kind_get(enum kind_id id)
{
	return &kinds[id];
}

const struct kind *kind_find(const char *group, const char *version, const char *plural)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (strcmp(kinds[i].plural, plural) == 0 && strcmp(kinds[i].group, group) == 0 &&
		    strcmp(kinds[i].version, version) == 0)
			return &kinds[i];
	}
	return NULL;
}

bool kind_has_group(const char *group, const char *version)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (strcmp(kinds[i].group, group) == 0 && strcmp(kinds[i].version, version) == 0)
			return true;
	}
	return false;
}
