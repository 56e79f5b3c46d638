#ifndef FSA_RECONCILE_ACCEPT_H
#define FSA_RECONCILE_ACCEPT_H

#include <stdbool.h>

#include <jansson.h>

/*
 * What a cluster's admission makes of our objects is accepted: where the answer to an apply differs
 * from what was applied, the cluster insists on the difference, and it counts as desired from then
 * on. What somebody changes later is another difference, and is corrected.
 *
 * Kept with a row (queue_row.observed), as "accepted": by kind and name of the object the hash of
 * how it differs, and that in words.
 */

/* After an apply: `stored` is what came back for `desired`. */
void accept_answer(json_t *observed, const json_t *stored, const json_t *desired);
/* Whether that is how it was stored when it was applied last. `observed` may be NULL. */
bool accept_is_known(const json_t *observed, const json_t *live, const json_t *desired);
/* As it should be, or as it was accepted. */
bool accept_covers(const json_t *observed, const json_t *live, const json_t *desired);
/* Tells the warning, or that there is none any more. */
void accept_warn(const json_t *observed, json_t *warnings);

#endif
