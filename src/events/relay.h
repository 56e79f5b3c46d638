#ifndef FSA_EVENTS_RELAY_H
#define FSA_EVENTS_RELAY_H

#include <stdbool.h>

#include "base/err.h"
#include "db/db.h"
#include "events/nginx.h"

/*
 * From PostgreSQL's notifications to nginx's streams, in the order of the commits.
 *
 * Each message has the state of the project at the time it is sent: of two quick changes the first
 * may be skipped, the last never is. After a gap, in which notifications may have been lost or
 * could not be passed on, every stream is ended. A page first reads everything when it opens a new
 * one, so none is left with an old state.
 */
struct relay;

struct relay_options {
	struct db *listener; /* for nothing else; both are borrowed */
	struct db *db;
	struct nginx *nginx;    /* borrowed */
	const char *state_file; /* locked while everything is passed on; see base/lockfile.h */
};
struct relay *relay_new(const struct relay_options *options);
void relay_free(struct relay *r);

/* Does all there is to do. On an error something is away: call again in relay_pause_ms(). */
int relay_step(struct relay *r, struct err *e);
/* Readable when there is something to do. */
int relay_fd(const struct relay *r);
/* Besides, a step is due so soon. */
int relay_wait_ms(const struct relay *r);
/* Longer with each failure, so that an nginx that keeps failing does not make all browsers
 * reconnect again and again. */
int relay_pause_ms(const struct relay *r);

#endif
