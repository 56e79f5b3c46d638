#ifndef FSA_RECONCILE_VOLUME_H
#define FSA_RECONCILE_VOLUME_H

#include <jansson.h>

#include "reconcile/assess.h"

/*
 * No data is lost without a word: a row's volume is looked after as long as the row is there.
 *
 * A claim that somebody deletes while a pod uses it stays, being deleted, until that pod ends: its
 * data is lost then. One that is deleted while nothing runs is gone at once, and whatever starts
 * next begins empty. That this is no first start, and that another claim is not the one that was
 * there, is known by what is kept with the row (queue_row.observed): "volume", its name and UID,
 * and "replaced", at which generation it was found to be another one.
 */

/* The claim that is being deleted; NULL: none is. */
const json_t *volume_going(const struct queue_row *row, const struct observation *o);
/* The name of the claim that the row had when it was last observed; NULL: none yet. */
const char *volume_known(const json_t *observed);
/* Whether it is another one than before, which nobody has agreed to, and the owner has asked for
 * nothing since. */
bool volume_is_replaced(const json_t *observed, const struct queue_row *row);

/* Keeps what this observation shows. What the owner has insisted on losing is forgotten. */
void volume_note(json_t *observed, const struct queue_row *row, const struct observation *o);
/* Whether the row has a volume no more and nothing runs: `a->volume_gone`. With what else is needed
 * to tell whether that, or a claim that is going, matters now: volume_judge(). */
void volume_find(const json_t *observed, const struct queue_row *row, const struct observation *o,
		 struct assessment *a);
bool volume_matters(const struct queue_row *row, const struct observation *o,
		    const struct assessment *a);
/* Of what is to be made as it is `wanted` (its StatefulSet or Cluster): SEEN_AT_RISK, with the
 * cause, if that would end a pod whose claim is going, or start without the data that there was. */
void volume_judge(const json_t *observed, const struct queue_row *row, const json_t *wanted,
		  const struct observation *o, struct assessment *a);

#endif
