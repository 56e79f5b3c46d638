#ifndef FSA_RECONCILE_RESTARTS_H
#define FSA_RECONCILE_RESTARTS_H

#include <jansson.h>

#include "reconcile/assess.h"

/*
 * Counts restarts of a sandbox's container from one observation to the next. Kept with the row
 * (view.kept) as "restarts": the pod, its number of restarts, and at how many consecutive
 * observations the number had increased. A pod that is ready at every observation may still keep
 * restarting. Rows of kinds whose pods do not have our labels have no such record.
 */

/* Keeps what this observation shows. */
void restarts_note(const struct view *v);
/* For a row that is OBSERVED_READY: OBSERVED_RESTARTED if the number has increased since the last
 * observation, OBSERVED_BROKEN with its cause if it had increased at that one, too. */
void restarts_judge(const struct view *v, struct assessment *a);

#endif
