#ifndef FSA_RECONCILE_VIEW_H
#define FSA_RECONCILE_VIEW_H

#include <jansson.h>

#include "reconcile/observe.h"
#include "store/queue.h"

struct kind;
struct desired_state;

/*
 * A row and what its cluster shows of it: everything that is concluded about a row is a function of
 * this. Borrowed, all of it.
 */
struct view {
	const struct kind *kind;
	const struct queue_row *row;
	const struct observation *observation;
	json_t *kept; /* queue_row.observed: what one observation keeps for the next */
	struct desired_state *desired; /* loaded, unless the row is to be GONE */
};

#endif
