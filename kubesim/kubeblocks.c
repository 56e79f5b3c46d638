#include "kubeblocks.h"

#include <string.h>

#include "base/cleanup.h"

static const struct kubeblocks releases[] = {
	{ "0.8", KIND_CLUSTER, "clusterdefinitions clusterversions opsrequests", true,
	  "conn-credential", "postgresql", false },
	{ "0.9", KIND_CLUSTER_0_9,
	  "clusterdefinitions clusterversions componentversions opsrequests", false,
	  "conn-credential", "postgresql", false },
	{ "1.0", KIND_CLUSTER_1_0, "clusterdefinitions componentversions", false,
	  "postgresql-account-postgres", "postgresql-postgresql", true },
};

const struct kubeblocks *kubeblocks_find(const char *release)
{
	for (size_t i = 0; i < ARRAY_SIZE(releases); i++) {
		if (strcmp(releases[i].release, release) == 0)
			return &releases[i];
	}
	return NULL;
}

void kubeblocks_resolve(const struct kubeblocks *installed, struct path *path)
{
	const struct kind *own = installed != NULL ? kind_get(installed->kind) : NULL;

	if (strcmp(path->group, KUBEBLOCKS_GROUP) != 0)
		return;
	path->has_group = own != NULL && strcmp(own->version, path->version) == 0;
	path->kind = path->has_group && strcmp(own->plural, path->plural) == 0 ? own : NULL;
}
