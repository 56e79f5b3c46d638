#ifndef KUBESIM_DISCOVERY_H
#define KUBESIM_DISCOVERY_H

#include "api.h"
#include "path.h"

/* The types of a group and version (an APIResourceList), which every authenticated client may read:
 * kubernetes.io, "The Kubernetes API", "Discovery API", unaggregated. */
bool discovery_is(const struct path *path);
void discovery_serve(const struct sim *sim, const struct path *path, struct api_answer *a);

#endif
