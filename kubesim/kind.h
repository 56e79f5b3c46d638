#ifndef KUBESIM_KIND_H
#define KUBESIM_KIND_H

#include <stdbool.h>
#include <stddef.h>

#include "schema.h"

/* The resource types that are served: a row each in kind.c, its fields in fields.c. */
enum kind_id {
	KIND_NAMESPACE,
	KIND_STATEFULSET,
	KIND_POD,
	KIND_SERVICE,
	KIND_INGRESS,
	KIND_NETWORK_POLICY,
	KIND_SECRET,
	KIND_CLAIM, /* PersistentVolumeClaim */
	KIND_EVENT,
	KIND_SERVICE_ACCOUNT,
	KIND_ROLE,
	KIND_ROLE_BINDING,
	KIND_QUOTA,
	KIND_LIMIT_RANGE,
	KIND_CLUSTER, /* of KubeBlocks 0.8, */
	KIND_CLUSTER_0_9,
	KIND_CLUSTER_1_0,
	KIND_COUNT
};

enum { SELECTABLE_MAX = 8 };

struct kind {
	enum kind_id id;
	const char *group, *version; /* group "" is the core's */
	const char *api_version;     /* as objects carry it */
	const char *plural, *kind;
	const char *resource;   /* in messages: "statefulsets.apps" */
	const char *kind_group; /* in messages: "StatefulSet.apps" */
	bool namespaced;
	bool has_status;     /* a status, which writes of the main resource do not touch */
	bool has_generation; /* that a changed spec raises */
	bool is_custom;      /* by a CustomResourceDefinition */
	const struct schema *schema;
	const char *selectable[SELECTABLE_MAX]; /* by field selectors, besides the name's */
};

const struct kind *kind_get(enum kind_id id);
/* NULL if there is none. */
const struct kind *kind_find(const char *group, const char *version, const char *plural);
bool kind_has_group(const char *group, const char *version);

#endif
