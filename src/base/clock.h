#ifndef FSA_BASE_CLOCK_H
#define FSA_BASE_CLOCK_H

#include <stdint.h>

/* Milliseconds and microseconds since boot: for durations, never for dates. Includes the time in
 * which the machine was suspended, as leases do. */
uint64_t clock_ms(void);
uint64_t clock_us(void);

#endif
