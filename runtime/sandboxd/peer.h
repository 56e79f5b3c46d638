#ifndef SANDBOXD_PEER_H
#define SANDBOXD_PEER_H

#include <sys/socket.h>

#include "sandboxd/conn.h"

/* The other end of a proxied connection: ttyd, or a port of the sandbox. Each side is paused while
 * the other is slow; at most one buffer is kept. */
struct peer;

struct peer_ops {
	void (*connected)(struct peer *p);
	void (*failed)(struct peer *p); /* could not be reached */
	void (*received)(struct peer *p, const char *data, size_t length);
	void (*ended)(struct peer *p); /* nothing more will be received */
};

struct peer {
	struct watch watch;
	struct conn *conn;
	const struct peer_ops *ops;
	struct buf pending;
	bool connecting, no_more, ended, began;
};

/* Begins to connect, for a connection whose context it becomes. */
struct peer *peer_new(struct conn *c, const struct peer_ops *ops, const struct sockaddr *address,
		      socklen_t length, struct err *e);
void peer_send(struct peer *p, const void *data, size_t length);
/* Nothing more will be sent. */
void peer_end(struct peer *p);
/* The connection can take more. */
void peer_go_on(struct peer *p);
void peer_free(struct peer *p);

#endif
