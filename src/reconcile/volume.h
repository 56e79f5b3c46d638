#ifndef FSA_RECONCILE_VOLUME_H
#define FSA_RECONCILE_VOLUME_H

#include <jansson.h>

#include "reconcile/assess.h"

/*
 * A row's volume is guarded as long as the row exists: no data is lost unannounced.
 *
 * A claim that is deleted while a pod uses it stays, being deleted, until that pod ends; then its
 * data is lost. A claim that is deleted while nothing runs is gone at once, and the next start
 * begins empty. To distinguish this from a first start, and a new claim from the previous one, the
 * row keeps (view.kept) "volume", the claim's name and UID, and "replaced", the generation at which
 * a new claim was found.
 */

/* The claim that is being deleted; NULL: none is. */
const json_t *volume_going(const struct view *v);
/* The name of the row's claim at the last observation; NULL: none yet. */
const char *volume_known(const struct view *v);
/* Whether the claim is not the former one, the owner has not agreed to that, and has requested
 * nothing since. */
bool volume_is_replaced(const struct view *v);

/* Keeps this observation's claim. A volume that the owner insisted on losing is forgotten. */
void volume_note(const struct view *v);
/* Sets `a->volume_gone`: the row's volume is gone and nothing runs. volume_matters(): whether that,
 * or a claim that is being deleted, matters now. */
void volume_find(const struct view *v, struct assessment *a);
bool volume_matters(const struct view *v, const struct assessment *a);
/* OBSERVED_AT_RISK, with the cause, if applying the desired `anchor` would end a pod whose claim is
 * being deleted, or start one without its former data. */
void volume_judge(const struct view *v, const json_t *anchor, struct assessment *a);

#endif
