#ifndef SANDBOXD_WEBSOCKET_H
#define SANDBOXD_WEBSOCKET_H

#include <jansson.h>

#include "sandboxd/conn.h"

/*
 * WebSocket (RFC 6455), the server's side, without extensions. Text messages are JSON and delivered
 * whole; the bytes of binary ones are delivered as they arrive.
 */

enum {
	WS_NORMAL = 1000,
	WS_GOING = 1001,
	WS_PROTOCOL = 1002,
	WS_TOO_LARGE = 1009,
	WS_TOKEN = 4401,
	WS_REFUSED = 4400,
};

/* Accepts the upgrade; from then on the connection carries frames. */
int websocket_accept(struct conn *c, struct err *e);
size_t websocket_feed(struct conn *c, const char *data, size_t length);
/* Sends pings, and closes it when its token has expired. */
void websocket_tick(struct conn *c, int64_t now);
void websocket_free(struct websocket *ws);
/* How much memory it takes, more or less; NULL: none. */
size_t websocket_size(const struct websocket *ws);

/* Takes `json`. */
void websocket_json(struct conn *c, json_t *json);
/* A binary message of two parts. */
void websocket_binary(struct conn *c, const void *head, size_t head_length, const void *data,
		      size_t length);
void websocket_close(struct conn *c, int code);
/* Sends the error; after an expired or wrong token, closes the connection. */
void websocket_fail(struct conn *c, const struct err *e);

#endif
