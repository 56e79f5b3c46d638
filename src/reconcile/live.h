#ifndef FSA_RECONCILE_LIVE_H
#define FSA_RECONCILE_LIVE_H

#include <stdbool.h>

#include <jansson.h>

/* The common parts of an object in the cluster, of any kind. */

bool live_is_deleting(const json_t *object);
/* Whether its controller has observed the newest spec. */
bool live_is_observed(const json_t *object);
/* The first object that is not being deleted, or NULL. */
const json_t *live_current(const json_t *objects);

/* Whether a pod's condition is True, and whether all of its containers run. */
bool live_pod_has(const json_t *pod, const char *condition);
bool live_pod_runs(const json_t *pod);
/* When it got a node, or was created if it has none; and when the last of its containers was
 * started. "": unknown. */
const char *live_pod_scheduled(const json_t *pod);
const char *live_pod_started(const json_t *pod);

#endif
