#ifndef FSA_RECONCILE_VIEW_H
#define FSA_RECONCILE_VIEW_H

#include <jansson.h>

#include "reconcile/observe.h"
#include "store/queue.h"

struct kind;
struct desired_state;

/*
 * A row and the observation of its objects: all conclusions about a row are functions of this. All
 * borrowed.
 */
struct view {
	const struct kind *kind;
	const struct queue_row *row;
	const struct observation *observation;
	json_t *kept; /* queue_row.observed: kept from one observation for the next */
	struct desired_state *desired; /* loaded, unless the row is to be GONE */
};

#endif
