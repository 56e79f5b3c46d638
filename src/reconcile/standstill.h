#ifndef FSA_RECONCILE_STANDSTILL_H
#define FSA_RECONCILE_STANDSTILL_H

#include <stddef.h>

#include "reconcile/observe.h"
#include "store/queue.h"

enum { STANDSTILL_MAX = 400 };

/*
 * What the cluster says of a row that takes too long, where it says of nothing that it is wrong: of
 * a sandbox's pod the first condition that is not met, of a database its phase, with their own
 * words; or what is not there. `o` NULL: a sandbox that is not looked at before its database is
 * ready.
 */
void standstill_describe(const struct queue_row *row, const struct observation *o,
			 char ret_words[STANDSTILL_MAX]);

#endif
