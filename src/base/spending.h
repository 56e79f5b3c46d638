#ifndef FSA_BASE_SPENDING_H
#define FSA_BASE_SPENDING_H

#include <stdint.h>

/*
 * For which user this thread spends its processor time: an account each. base/heartbeat.h says when
 * the user changes; whoever acts on the sums takes them.
 */

/* From now on the time counts for this owner, a user's id; "": for nobody. */
void spending_switch(const char *owner);
/* Microseconds that were spent for an owner since this was called last. */
uint64_t spending_take_us(const char *owner);

#endif
