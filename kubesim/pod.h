#ifndef KUBESIM_POD_H
#define KUBESIM_POD_H

#include "sim.h"

/*
 * The scheduler and the nodes: what happens to a pod is decided by its image, its annotations (the
 * same as in tools/cluster/kwok/pod.yaml) and the effects that apply to it.
 */

/* How long the node takes to end it. */
uint64_t pod_gone_after_ms(const struct sim *sim, const struct object *pod);
/* It is gone: its node forgets it. */
void pod_forget(struct sim *sim, const struct object *pod);
/* Whether a pod in the namespace mounts this claim. */
bool pod_uses_claim(const struct sim *sim, const char *namespace, const char *claim);

#endif
