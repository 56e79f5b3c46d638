#ifndef FSA_EVENTS_NGINX_H
#define FSA_EVENTS_NGINX_H

#include "base/err.h"

/*
 * The local nginx, whose nchan module holds the browsers' streams: requests to the server of
 * nginx/fullstack-agent/events-publish.conf on its unix socket, one at a time, each with a time
 * limit. A message that was taken is sent to the streams in the order of these calls.
 *
 * Errors: ERR_UNAVAILABLE, whether nginx is away, has no nchan or no memory left.
 */
struct nginx;

struct nginx *nginx_new(const char *socket_path);
void nginx_free(struct nginx *n);

/* Whether it is there and would take what follows. */
int nginx_check(struct nginx *n, struct err *e);
/* Sends an event to every stream of a user (if there is none, nginx keeps it for a while for one
 * that reconnects). */
int nginx_publish(struct nginx *n, const char *user_id, const char *event, const char *data,
		  struct err *e);
/* Ends the streams of a user, if there are any. Browsers reconnect at once, if they are still
 * allowed to. */
int nginx_close(struct nginx *n, const char *user_id, struct err *e);

#endif
