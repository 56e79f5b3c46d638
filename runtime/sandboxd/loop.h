#ifndef SANDBOXD_LOOP_H
#define SANDBOXD_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

/*
 * One thread, one epoll. A watch is embedded in what it is for and says what to call when its
 * descriptor is ready. What a callback ends may still be named by an event of the same round, so
 * memory that has a watch in it is handed to loop_free() instead of free().
 */
struct watch {
	int fd; /* -1: not watched */
	uint32_t events;
	void (*ready)(struct watch *w, uint32_t events);
};

void loop_init(void);
/* Watches w->fd for `events`; again with other ones to change them, with none to pause. */
void watch_for(struct watch *w, uint32_t events);
/* Stops watching and closes the descriptor. */
void watch_close(struct watch *w);
/* Frees memory at the end of this round. */
void loop_free(void *memory);

/* Seconds of a clock that nobody sets. */
int64_t loop_now(void);
/* `tick` is called about once a second, as long as it returns true for any. */
void loop_add_tick(bool (*tick)(int64_t now));
/* Serves until loop_end(). */
void loop_run(void);
void loop_end(void);

#endif
