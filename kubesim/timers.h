#ifndef KUBESIM_TIMERS_H
#define KUBESIM_TIMERS_H

#include <stdint.h>

/* Things to do later, in the order of their time; of equal ones, in the order of their addition. */
struct timers;

typedef void timer_fn(void *user);

struct timers *timers_new(void);
/* What is still to do is forgotten. */
void timers_free(struct timers *t);
void timers_add(struct timers *t, uint64_t due_ms, timer_fn *fn, void *user);
/* Runs the timers that are due. Timers that these add for at once wait for the next call. */
void timers_run(struct timers *t, uint64_t now_ms);
/* Milliseconds until something is due: 0 for now, -1 for never. */
int timers_wait(const struct timers *t, uint64_t now_ms);

#endif
