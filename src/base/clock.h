#ifndef FSA_BASE_CLOCK_H
#define FSA_BASE_CLOCK_H

#include <stdint.h>

/* Milliseconds of the monotonic clock: for how long, never for when. */
uint64_t clock_ms(void);

#endif
