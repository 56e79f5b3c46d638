#ifndef FSA_RECONCILE_VOLUME_H
#define FSA_RECONCILE_VOLUME_H

#include <jansson.h>

#include "reconcile/assess.h"

/*
 * No data is lost without a word: a row's volume is guarded as long as the row is there.
 *
 * A claim that somebody deletes while a pod uses it stays, being deleted, until that pod ends: its
 * data is lost then. One that is deleted while nothing runs is gone at once, and whatever starts
 * next begins empty. That this is no first start, and that another claim is not the one that was
 * there, is known by what is kept with the row (view.kept): "volume", its name and UID,
 * and "replaced", at which generation it was found to be another one.
 */

/* The claim that is being deleted; NULL: none is. */
const json_t *volume_going(const struct view *v);
/* The name of the claim that the row had when it was last observed; NULL: none yet. */
const char *volume_known(const struct view *v);
/* Whether it is another one than before, to which nobody has agreed, and the owner has asked for
 * nothing since. */
bool volume_is_replaced(const struct view *v);

/* Keeps what this observation shows. A volume that the owner insisted on losing is forgotten. */
void volume_note(const struct view *v);
/* Whether the row's volume is gone and nothing runs: `a->volume_gone`. volume_matters(): whether
 * that, or a claim that is going, matters now. */
void volume_find(const struct view *v, struct assessment *a);
bool volume_matters(const struct view *v, const struct assessment *a);
/* OBSERVED_AT_RISK, with the cause, if applying the desired `anchor` would end a pod whose claim is
 * going, or start without the data that there was. */
void volume_judge(const struct view *v, const json_t *anchor, struct assessment *a);

#endif
