#ifndef SANDBOXD_PASSAGE_H
#define SANDBOXD_PASSAGE_H

#include "sandboxd/conn.h"

/*
 * A request that is passed on to a port of the sandbox, and its response. Both are parsed, and
 * written anew: their ends are where sandboxd finds them, so what the program and a proxy before
 * sandboxd read cannot differ. Each connection to the program is for one request.
 */

/* Passes on the head; the body follows as it comes. Without the token and the cookie of the gate.
 * NOT_LISTENING. */
int passage_begin(struct conn *c, unsigned port, struct err *e);
/* The request is complete. */
void passage_complete(struct conn *c);

#endif
