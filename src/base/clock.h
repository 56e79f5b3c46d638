#ifndef FSA_BASE_CLOCK_H
#define FSA_BASE_CLOCK_H

#include <stdint.h>

/* Milliseconds and microseconds since boot: for how long, never for when. Time in which the machine
 * was suspended counts, as it does for the leases that others see. */
uint64_t clock_ms(void);
uint64_t clock_us(void);

#endif
