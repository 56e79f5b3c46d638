#ifndef FSA_CLI_WEBSOCKET_H
#define FSA_CLI_WEBSOCKET_H

#include "site.h"

/*
 * A WebSocket to a sandbox (RFC 6455, as a client). libcurl opens the connection, with TLS and
 * through the environment's proxy; Debian 12's libcurl has no WebSockets of its own.
 */
enum websocket_type { WEBSOCKET_TEXT = 1, WEBSOCKET_BINARY = 2, WEBSOCKET_CLOSE = 8 };

struct websocket {
	CURL *curl;
	curl_socket_t fd; /* for poll(2) */
	struct buf in;    /* frames that came; those that have been returned are at its beginning */
	struct buf out;   /* frames that are still to be sent */
	size_t consumed;  /* of `in` */
	enum websocket_type type; /* of the message that the last frame belongs to */
};

struct websocket_message {
	enum websocket_type type;
	const char *data; /* until the next call */
	size_t length;
};

/* Waits until it is there. */
int websocket_open(const struct site *server, const char *path, struct websocket *ret_ws,
		   struct err *e);
void websocket_close(struct websocket *ws); /* for CLEANUP, too */

/* These never wait. A message is added to `out`, of which websocket_flush() sends what it can. */
void websocket_send(struct websocket *ws, enum websocket_type type, const void *data,
		    size_t length);
int websocket_flush(struct websocket *ws, struct err *e);
/* 1: a message; 0: there is none now; -1: an error, or the connection has ended. */
int websocket_receive(struct websocket *ws, struct websocket_message *ret_message, struct err *e);

#endif
