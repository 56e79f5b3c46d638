#ifndef FSA_BASE_HEARTBEAT_H
#define FSA_BASE_HEARTBEAT_H

#include <stdatomic.h>
#include <stdint.h>

/*
 * What a process tells the one that watches it, in memory that both share: that its loop still
 * turns, and for whom it works. So a process that is kept busy by what a stranger sent can be ended
 * from outside, and whose it was is known although the process itself can no longer say.
 *
 * The processor time counts for that owner, too (base/spending.h).
 *
 * The owner is only dependable once the process has ended: it is written without a lock.
 */
enum { HEARTBEAT_OWNER_MAX = 63 };

#define HEARTBEAT_PAUSED UINT64_MAX

struct heartbeat {
	_Atomic uint64_t beat_ms; /* clock_ms() of the last turn; 0: none yet; HEARTBEAT_PAUSED */
	char owner[HEARTBEAT_OWNER_MAX + 1];
};

/* From now on this process's heartbeat is kept in `shared`, until NULL. Without one, the two below
 * do nothing. */
void heartbeat_open(struct heartbeat *shared);

/* The loop has turned, and works for nobody in particular. */
void heartbeat_beat(void);
/* Until the next beat it waits for something of ours, which may take its time. */
void heartbeat_pause(void);
/* For whom the process works until the next call or beat: a user's id, cut at HEARTBEAT_OWNER_MAX.
 * NULL or "": nobody. */
void heartbeat_owner(const char *owner);

#endif
