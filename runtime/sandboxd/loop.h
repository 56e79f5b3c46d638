#ifndef SANDBOXD_LOOP_H
#define SANDBOXD_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

/*
 * One thread, one epoll. A watch is embedded in the object that it serves, and has the function to
 * call when its descriptor is ready. An event of the same round may still refer to an object that a
 * callback has just ended, so memory that contains a watch is given to loop_free() instead of
 * free().
 */
struct watch {
	int fd; /* -1: not watched */
	uint32_t events;
	void (*ready)(struct watch *w, uint32_t events);
};

void loop_init(void);
/* Watches w->fd for `events`; call it again with others to change them, with none to pause. */
void watch_for(struct watch *w, uint32_t events);
/* Stops watching and closes the descriptor. */
void watch_close(struct watch *w);
/* Frees memory at the end of this round. */
void loop_free(void *memory);

/* Seconds of the monotonic clock. */
int64_t loop_now(void);
/* Each `tick` is called about once a second, as long as any of them returns true. */
void loop_add_tick(bool (*tick)(int64_t now));
/* Serves what is ready within `timeout_ms` (-1: whenever). */
void loop_round(int timeout_ms);
/* Serves until loop_end(). */
void loop_run(void);
void loop_end(void);

#endif
