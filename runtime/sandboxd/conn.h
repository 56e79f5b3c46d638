#ifndef SANDBOXD_CONN_H
#define SANDBOXD_CONN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include <http_parser.h>
#include <jansson.h>

#include "base/buf.h"
#include "base/err.h"
#include "sandboxd/loop.h"
#include "sandboxd/request.h"
#include "sandboxd/token.h"

/*
 * A client's connection: requests one after the other, each answered by a row of the route table,
 * or, after an upgrade, WebSocket messages or plain bytes. All that a connection holds is bounded,
 * and so is the sum over all connections: a client that does not read, or stops in the middle of a
 * request, is closed after a minute.
 */

enum {
	CONNECTIONS_MAX = 1200,
	SOCKETS_PER_TOKEN = 256,
	BODY_MAX = 262144,
	WAIT_MAX_S = 60,
	OUT_FULL = 32768
};

struct conn;
struct websocket;

/* Callbacks of a handler that does more with a connection than to respond at once. All are
 * optional. */
struct conn_ops {
	int (*body)(struct conn *c, const char *data, size_t length, struct err *e);
	void (*produce)(struct conn *c); /* the client can take more */
	void (*tick)(struct conn *c, int64_t now);
	void (*closed)(struct conn *c); /* frees the context */
	/* WebSocket */
	int (*message)(struct conn *c, json_t *message, struct err *e);
	int (*data)(struct conn *c, const char *data, size_t length, struct err *e);
	/* Plain bytes, after conn_become_raw() */
	void (*raw)(struct conn *c, const char *data, size_t length);
};

enum conn_state {
	CONN_REQUEST, /* being read */
	CONN_ANSWER,  /* its response is being prepared or sent */
	CONN_WEBSOCKET,
	CONN_RAW,
	CONN_LINGER, /* everything is sent; further input is dropped */
	CONN_CLOSED,
};

struct route;

struct conn {
	struct watch watch;
	LIST_ENTRY(conn) entry;
	enum conn_state state;
	http_parser parser;
	struct request request;
	const struct route *route;
	char parameter[64]; /* of the path */
	bool granted;
	struct grant grant;
	struct buf in, body, out;
	size_t sent; /* of out */
	int file;    /* -1, or follows `out`: file_left bytes of it */
	uint64_t file_offset, file_left;
	const struct conn_ops *ops;
	void *context;
	struct websocket *ws;
	bool complete; /* the request */
	bool answered; /* the response is complete, though perhaps not sent */
	bool head_sent, keep, paused, running, failed;
	struct err error;
	int64_t progress_at;
	size_t held;
	char request_id[17];
};

/* Takes over a connected socket. */
void conn_open(int fd);
size_t conn_count(void);
/* Refuses (TOO_MANY) another connection that stays, beyond SOCKETS_PER_TOKEN of one token. */
int conn_check_token(const struct conn *c, struct err *e);
void conn_close(struct conn *c);
/* Sends pending output and processes received input. Call it after adding output outside a callback
 * of the connection. */
void conn_run(struct conn *c);

/* Responds. `headers` is "" or lines that end with \r\n. */
void conn_answer(struct conn *c, int status, const char *type, const char *headers,
		 const void *body, size_t length);
/* Takes `json`. */
void conn_json(struct conn *c, int status, json_t *json);
void conn_empty(struct conn *c, int status);
void conn_fail(struct conn *c, const struct err *e);
/* Only the head of a response; the body follows, with that length (-1: in chunks, of unknown
 * length). */
void conn_begin(struct conn *c, int status, const char *type, const char *headers, int64_t length);
/* A part of a body in chunks, which has at least a byte. */
void conn_chunk(struct conn *c, const void *data, size_t length);
/* Ends such a body, with headers that were not known before: whole lines. */
void conn_end(struct conn *c, const char *trailers);
/* Bytes of a WebSocket's frame or of a raw connection. */
void conn_send(struct conn *c, const void *data, size_t length);
/* How many bytes are not sent yet. */
size_t conn_pending(const struct conn *c);

/* For a handler that cannot take more input, and later can again. */
void conn_pause(struct conn *c, bool pause);
void conn_set_ops(struct conn *c, const struct conn_ops *ops, void *context);
void conn_become_raw(struct conn *c);
/* Sends pending output, then closes. */
void conn_finish(struct conn *c);
/* When somebody last typed or sent something; 0: nobody yet. */
int64_t conn_last_input(void);
void conn_note_input(void);

#endif
