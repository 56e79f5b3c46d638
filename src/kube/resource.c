#include "kube/resource.h"

#include <string.h>

/* Who manages which fields is half of what an API server says about an object. For two kinds, the
 * times in it are needed. */
static const char *const managers[] = { "managedFields", NULL };
static const char *const fields[] = { "fieldsV1", NULL };
/* A pod's spec is that of its StatefulSet, except for its node. */
static const char *const pods[] = { "managedFields", "containers", "volumes", "tolerations", NULL };

static const struct kube_resource_type types[] = {
	[KUBE_STATEFULSETS] = { "apis/apps/v1", "apps/v1", "StatefulSet", "statefulsets", fields },
	[KUBE_PODS] = { "api/v1", "v1", "Pod", "pods", pods },
	[KUBE_SERVICES] = { "api/v1", "v1", "Service", "services", managers },
	[KUBE_INGRESSES] = { "apis/networking.k8s.io/v1", "networking.k8s.io/v1", "Ingress",
			     "ingresses", managers },
	[KUBE_NETWORK_POLICIES] = { "apis/networking.k8s.io/v1", "networking.k8s.io/v1",
				    "NetworkPolicy", "networkpolicies", managers },
	[KUBE_SECRETS] = { "api/v1", "v1", "Secret", "secrets", managers },
	[KUBE_PERSISTENT_VOLUME_CLAIMS] = { "api/v1", "v1", "PersistentVolumeClaim",
					    "persistentvolumeclaims", managers },
	[KUBE_EVENTS] = { "api/v1", "v1", "Event", "events", managers },
	[KUBE_SERVICE_ACCOUNTS] = { "api/v1", "v1", "ServiceAccount", "serviceaccounts", managers },
	[KUBE_ROLES] = { "apis/rbac.authorization.k8s.io/v1", "rbac.authorization.k8s.io/v1",
			 "Role", "roles", managers },
	[KUBE_ROLE_BINDINGS] = { "apis/rbac.authorization.k8s.io/v1",
				 "rbac.authorization.k8s.io/v1", "RoleBinding", "rolebindings",
				 managers },
	[KUBE_CLUSTERS] = { "apis/apps.kubeblocks.io/v1alpha1", "apps.kubeblocks.io/v1alpha1",
			    "Cluster", "clusters", fields },
	[KUBE_CLUSTERS_V1] = { "apis/apps.kubeblocks.io/v1", "apps.kubeblocks.io/v1", "Cluster",
			       "clusters", fields },
	[KUBE_NAMESPACES] = { "api/v1", "v1", "Namespace", "namespaces", managers },
	[KUBE_RULES_REVIEWS] = { "apis/authorization.k8s.io/v1", "authorization.k8s.io/v1",
				 "SelfSubjectRulesReview", "selfsubjectrulesreviews", NULL },
	[KUBE_RESOURCE_COUNT] = { "", "", "", "objects", managers },
};

const struct kube_resource_type *kube_resource_type(enum kube_resource resource)
{
	return &types[resource];
}

bool kube_resource_is_namespaced(const struct kube_resource_type *type)
{
	return type < &types[KUBE_RESOURCE_COUNT];
}

const char *kube_resource_plural(enum kube_resource resource)
{
	return types[resource].plural;
}

const char *kube_resource_kind(enum kube_resource resource)
{
	return types[resource].kind;
}

bool kube_resource_find(const char *api_version, const char *kind, enum kube_resource *ret_resource)
{
	for (int i = 0; i < KUBE_RESOURCE_COUNT; i++) {
		if (strcmp(types[i].api_version, api_version) == 0 &&
		    strcmp(types[i].kind, kind) == 0) {
			*ret_resource = (enum kube_resource)i;
			return true;
		}
	}
	return false;
}
