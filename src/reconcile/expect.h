#ifndef FSA_RECONCILE_EXPECT_H
#define FSA_RECONCILE_EXPECT_H

#include <stdint.h>

#include "reconcile/view.h"

/*
 * How long something has been expected of the cluster: since the object that leads to it was
 * created, changed or scheduled, and not since the row got its status. On a busy cluster there may
 * be much time between the two, and waiting in a queue is not a fault.
 */

/* Since a time that an object states (RFC 3339; "": unknown), on the cluster's own clock; but never
 * for longer than the row has had its status. */
uint64_t expect_age_ms(const struct view *v, const char *since);

/* When we last changed the object, for example by a start, a stop or other variables; "": never. */
const char *expect_applied_at(const json_t *object);

#endif
