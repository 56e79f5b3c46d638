#ifndef KUBESIM_PATH_H
#define KUBESIM_PATH_H

#include "kind.h"

/* What a path of the API names: kubernetes.io, "Kubernetes API Concepts", "Resource URIs". */
struct path {
	char group[128], version[32];
	char namespace[254];  /* "" for all, and for types without */
	char plural[64];      /* "" for what there is of the group and version */
	char name[254];       /* "" for the collection */
	char subresource[32]; /* "" or what follows; more may follow "proxy" */
	const struct kind *kind;
	bool has_group; /* the group and version are served, whatever the type */
};

/* False if it is not the path of a resource, or of a group and version. */
bool path_parse(const char *text, struct path *ret_path);

#endif
