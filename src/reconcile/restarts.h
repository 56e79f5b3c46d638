#ifndef FSA_RECONCILE_RESTARTS_H
#define FSA_RECONCILE_RESTARTS_H

#include <jansson.h>

#include "reconcile/assess.h"

/*
 * How often a sandbox's container has ended, from one observation to the next. Kept with the row
 * (view.kept) as "restarts": of which pod, how often, and at how many observations in a row the
 * number had gone up. A pod that is ready whenever it is observed may be one that ends all the
 * time. Rows of kinds whose pods do not have our labels have none.
 */

/* Keeps what this observation shows. */
void restarts_note(const struct view *v);
/* Of a row that is OBSERVED_READY: OBSERVED_RESTARTED if the number has gone up since the last
 * observation, OBSERVED_BROKEN with its cause if it had then, too. */
void restarts_judge(const struct view *v, struct assessment *a);

#endif
