#ifndef FSA_RECONCILE_ACCEPT_H
#define FSA_RECONCILE_ACCEPT_H

#include <stdbool.h>

#include <jansson.h>

/*
 * What a cluster's admission makes of our objects is accepted: where the answer to an apply is not
 * what was applied, that is how the cluster wants it, and the next look takes it for as it should
 * be. What somebody changes later is another difference, and is put right.
 *
 * Kept with a row (queue_row.observed), as "accepted": by kind and name of the object the hash of
 * how it differs, and that in words.
 */

/* After an apply: `stored` is what came back for `wanted`. */
void accept_answer(json_t *observed, const json_t *stored, const json_t *wanted);
/* Whether that is how it was stored when it was applied last. `observed` may be NULL. */
bool accept_is_known(const json_t *observed, const json_t *live, const json_t *wanted);
/* As it should be, or as it was accepted. */
bool accept_covers(const json_t *observed, const json_t *live, const json_t *wanted);
/* Tells the warning, or that there is none any more. */
void accept_warn(const json_t *observed, json_t *warnings);

#endif
