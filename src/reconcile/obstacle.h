#ifndef FSA_RECONCILE_OBSTACLE_H
#define FSA_RECONCILE_OBSTACLE_H

#include <stdbool.h>

#include <jansson.h>

#include "base/err.h"
#include "kube/client.h"
#include "reconcile/view.h"

/*
 * Deletions that hang: a pod that does not end (its node is down, or one of its processes hangs),
 * or an object that is held by a finalizer. Stop, deletion and restart wait for these, and the
 * cause names the object for its owner. Pure functions; true, with the cause, if an object exists
 * for longer than its deletion should take (reconcile/expect.h).
 */

/* Among a row's objects. */
bool obstacle_find(const struct view *v, struct err *ret_cause);
/* Among some objects of one kind. */
bool obstacle_among(const struct view *v, enum kube_resource kind, const json_t *items,
		    struct err *ret_cause);

#endif
