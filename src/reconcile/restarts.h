#ifndef FSA_RECONCILE_RESTARTS_H
#define FSA_RECONCILE_RESTARTS_H

#include <jansson.h>

#include "reconcile/assess.h"

/*
 * How often a sandbox's container has ended, between one look and the next. Kept with the row
 * (queue_row.observed) as "restarts": of which pod, how often, and at how many looks in a row it
 * had gone up. A pod that is ready whenever it is looked at may be one that ends all the time.
 */

/* Keeps what this observation shows. */
void restarts_note(json_t *observed, const struct queue_row *row, const struct observation *o);
/* Of a row that is SEEN_READY: SEEN_RESTARTED if it has gone up since the last look, SEEN_BROKEN
 * with its cause if it had then, too. `observed`: of the last look; NULL: there was none. */
void restarts_judge(const json_t *observed, const struct queue_row *row,
		    const struct observation *o, struct assessment *a);

#endif
