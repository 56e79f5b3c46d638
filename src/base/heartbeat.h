#ifndef FSA_BASE_HEARTBEAT_H
#define FSA_BASE_HEARTBEAT_H

#include <stdatomic.h>
#include <stdint.h>

/*
 * A process reports to the one that watches it, in memory that both share, that its loop still
 * turns, and which user it is working for. So a process that is kept busy by a stranger's input can
 * be ended from outside, and the user is known although the process itself can no longer report it.
 *
 * The process's processor time is charged to that user, too (base/spending.h).
 *
 * The user can be relied on only once the process has ended, because it is written without a lock.
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

/* The loop has turned, and is not working for a particular user. */
void heartbeat_beat(void);
/* Until the next beat the process waits for one of our own services, which may take long. */
void heartbeat_pause(void);
/* The user for whom the process works until the next call or beat: an id, cut at
 * HEARTBEAT_OWNER_MAX. NULL or "": nobody. */
void heartbeat_owner(const char *owner);

#endif
