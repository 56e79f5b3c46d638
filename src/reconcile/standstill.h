#ifndef FSA_RECONCILE_STANDSTILL_H
#define FSA_RECONCILE_STANDSTILL_H

#include <stddef.h>

#include "reconcile/view.h"

enum { STANDSTILL_MAX = 400 };

/*
 * What the cluster says of a row that takes too long, where it says of nothing that it is wrong:
 * the first unmet condition or the phase of the object that shows how far it is (kind.shown), in
 * the cluster's own words, or what is not there. An observation of NULL: the row waits for another
 * one and was not observed.
 */
void standstill_describe(const struct view *v, char ret_words[STANDSTILL_MAX]);

#endif
