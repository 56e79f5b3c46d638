#ifndef KUBESIM_CONTROLLERS_H
#define KUBESIM_CONTROLLERS_H

#include "sim.h"

/*
 * The controllers of a cluster. Each reads one object by its name, does what is due, and is called
 * again when that object, or one that belongs to it, changes.
 */
enum controller {
	CONTROLLER_STATEFULSET,
	CONTROLLER_POD,     /* the scheduler and the nodes */
	CONTROLLER_POD_END, /* a deleted pod's time */
	CONTROLLER_CLAIM,
	CONTROLLER_CLUSTER, /* KubeBlocks */
	CONTROLLER_GARBAGE, /* the name is a uid */
	CONTROLLER_EVENT,
	CONTROLLER_NAMESPACE,
};

/* The store's callback: finds out which controllers to call. */
void controllers_changed(void *sim, const struct object *before, const struct object *after);
/* The queue's callback. */
void controllers_handle(void *sim, int controller, const char *namespace, const char *name);
/* Makes all controllers check everything again in all namespaces, after a change of effects. */
void controllers_wake(struct sim *sim);

/* One handler each; see its file. */
void stateful_set_look(struct sim *sim, const char *namespace, const char *name);
void pod_look(struct sim *sim, const char *namespace, const char *name);
void pod_end(struct sim *sim, const char *namespace, const char *name);
void claim_look(struct sim *sim, const char *namespace, const char *name);
void cluster_look(struct sim *sim, const char *namespace, const char *name);
void namespace_look(struct sim *sim, const char *none, const char *name);
void garbage_look(struct sim *sim, const char *namespace, const char *uid);

#endif
