#ifndef FSA_RECONCILE_ACCEPT_H
#define FSA_RECONCILE_ACCEPT_H

#include <stdbool.h>

#include <jansson.h>

/*
 * Changes that a cluster's admission makes to our objects are accepted: where the response to an
 * apply differs from the applied object, the difference is treated as desired from then on. A
 * change that somebody makes later is another difference, and is corrected.
 *
 * Kept with a row (queue_row.observed) as "accepted": for each object, by kind and name, a hash of
 * the difference, and a description of it.
 */

/* After an apply: `stored` is what came back for `desired`. */
void accept_answer(json_t *observed, const json_t *stored, const json_t *desired);
/* Whether that is how it was stored when it was applied last. `observed` may be NULL. */
bool accept_is_known(const json_t *observed, const json_t *live, const json_t *desired);
/* As it should be, or as it was accepted. */
bool accept_covers(const json_t *observed, const json_t *live, const json_t *desired);
/* Sets the warning, or clears it. */
void accept_warn(const json_t *observed, json_t *warnings);

#endif
