#ifndef FSA_BASE_CLOCK_H
#define FSA_BASE_CLOCK_H

#include <stdint.h>

/* Milliseconds and microseconds of the monotonic clock: for how long, never for when. */
uint64_t clock_ms(void);
uint64_t clock_us(void);

#endif
