#ifndef FSA_BASE_SPENDING_H
#define FSA_BASE_SPENDING_H

#include <stdint.h>

/*
 * The processor time that this thread spends for each user. base/heartbeat.h switches between
 * users; the sums are read by whatever acts on them.
 */

/* From now on the time is charged to this owner, a user's id; "": to nobody. */
void spending_switch(const char *owner);
/* The microseconds that were spent for an owner since the last call. */
uint64_t spending_take_us(const char *owner);

#endif
