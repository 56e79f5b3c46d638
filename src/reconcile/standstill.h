#ifndef FSA_RECONCILE_STANDSTILL_H
#define FSA_RECONCILE_STANDSTILL_H

#include <stddef.h>

#include "reconcile/view.h"

enum { STANDSTILL_MAX = 400 };

/*
 * The cause for a row that takes too long although no object reports a fault: the first unmet
 * condition, or the phase, of the object that shows its progress (kind.shown), in the cluster's own
 * words; or that this object does not exist. An observation of NULL: the row waits for another one
 * and was not observed.
 */
void standstill_describe(const struct view *v, char ret_words[STANDSTILL_MAX]);

#endif
