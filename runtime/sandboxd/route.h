#ifndef SANDBOXD_ROUTE_H
#define SANDBOXD_ROUTE_H

#include <jansson.h>

#include "sandboxd/conn.h"

/* How the body of a request is read. */
enum body {
	BODY_NONE,   /* there is none */
	BODY_JSON,   /* collected and parsed */
	BODY_BYTES,  /* collected */
	BODY_STREAM, /* begin() sets conn_ops.body, which gets it in pieces; needs Content-Length */
	BODY_CHUNKS, /* the same, without it */
};

struct route {
	enum http_method method;
	enum scope scope;                            /* SCOPE_NONE: everybody's */
	const char *path;                            /* at most one part is ":" */
	const char *parameters;                      /* of the query, separated by blanks */
	int (*begin)(struct conn *c, struct err *e); /* after the head */
	/* After the body. `body` is borrowed, and NULL except for BODY_JSON. Responds now, or keeps
	 * the connection and responds later. */
	int (*handle)(struct conn *c, json_t *body, struct err *e);
	enum body body;
	bool websocket, keep_upgrade; /* the latter: the upgrade is passed on, not done here */
};

/* The table ends with a row without a path. */
extern const struct route routes[];

/* Finds the row, checks the token and the query. */
int route_begin(struct conn *c, struct err *e);
int route_handle(struct conn *c, struct err *e);
/* Takes a newer token for a WebSocket. */
int route_take_token(struct conn *c, const char *token, struct err *e);

#endif
