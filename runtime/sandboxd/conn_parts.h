#ifndef SANDBOXD_CONN_PARTS_H
#define SANDBOXD_CONN_PARTS_H

#include "sandboxd/conn.h"

/*
 * What the files of a connection need of each other: conn.c is its life, conn_request.c reads
 * requests, conn_response.c sends responses.
 */

enum { OUT_MAX = 1048576 };

/* Empties a buffer, and keeps little of its memory. */
void conn_trim(struct buf *b);
/* Ends what a handler does with the connection. */
void conn_end_ops(struct conn *c);
void conn_drop_file(struct conn *c);

/* Both send what they can; false when the socket is full or broken. */
bool conn_flush_out(struct conn *c);
bool conn_flush_file(struct conn *c);

void conn_next_request(struct conn *c);
/* Returns how much was used: what is after a request stays for later. */
size_t conn_parse(struct conn *c, const char *data, size_t length);

#endif
