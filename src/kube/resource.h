#ifndef FSA_KUBE_RESOURCE_H
#define FSA_KUBE_RESOURCE_H

#include "kube/client.h"

/* The resource types we use, as the API server names them; looked up by kube_resource_find(). */
struct kube_resource_type {
	const char *prefix; /* of the path: "apis/apps/v1" */
	const char *api_version;
	const char *kind;
	const char *plural;
	const char *const *unread; /* members that nobody here reads: see kube/filter.h; or NULL */
};

/* KUBE_RESOURCE_COUNT gives a row for messages about what is none of them. */
const struct kube_resource_type *kube_resource_type(enum kube_resource resource);

bool kube_resource_is_namespaced(const struct kube_resource_type *type);

#endif
