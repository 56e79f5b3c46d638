#ifndef FSA_RECONCILE_WARN_H
#define FSA_RECONCILE_WARN_H

#include <jansson.h>

#include "domain/warning.h"
#include "reconcile/assess.h"
#include "reconcile/observe.h"
#include "store/queue.h"

/*
 * The warnings of a row (domain/warning.h) while it is worked on: an array of {code, message},
 * begun with those that were told last, so that what cannot be judged at this look stays as it was.
 */

/* Those that were told last. The caller json_decref()s. */
json_t *warn_begin(const struct queue_row *row);
/* The warning holds, and this is what is to be said of it; or it does not. */
void warn_set(json_t *warnings, enum warning warning, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void warn_clear(json_t *warnings, enum warning warning);

/* What they are judged by. */
struct sight {
	const struct queue_row *row;
	const struct observation *observation;
	const json_t *observed; /* what is kept for the next time, this observation included */
	const struct assessment *assessment;
};
/* Sets and clears those that can be judged by what was observed: a table, in warn.c. */
void warn_of_observation(json_t *warnings, const struct sight *s);

#endif
