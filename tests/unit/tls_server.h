#ifndef FSA_TESTS_UNIT_TLS_SERVER_H
#define FSA_TESTS_UNIT_TLS_SERVER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "pki.h"

/*
 * A small HTTP/1.1 server over TLS on 127.0.0.1 for tests of clients: it answers by a script,
 * wrongly if the script says so. It runs in a process of its own, and one more for each
 * connection; all end with tls_server_stop().
 */

/* One row of the script; the first whose `match` is part of the request is the answer. */
struct tls_reply {
	const char *match;
	const char *status;  /* "200 OK"; NULL: `raw` is all that is sent */
	const char *headers; /* whole lines with "\r\n", or NULL */
	const char *body;    /* "$PEER" stands for the CN of the client's certificate */
	const char *raw;
	unsigned delay_ms; /* before the answer */
	unsigned drip_ms;  /* between the bytes of `raw` */
	size_t repeat;     /* of `raw` from its '#' on, or of `again`: so many times more */
	const char *again;
	unsigned key_updates; /* of TLS 1.3, so many before the answer */
	bool close;           /* hang up afterwards */
};

/* What the server saw, shared with it. */
struct tls_seen {
	atomic_int connections; /* whose handshake was good */
	atomic_int requests;
	char last[16384]; /* the last request, as it came */
};

struct tls_server_options {
	const struct pki_pair *certificate;
	const char *client_ca_pem; /* clients must have a certificate of it; or NULL */
	const char *chain_pem;     /* what is shown beside its certificate; or NULL */
};

struct tls_server;

struct tls_server *tls_server_start(const struct tls_server_options *options,
				    const struct tls_reply *replies, size_t count);
void tls_server_stop(struct tls_server *server);
unsigned tls_server_port(const struct tls_server *server);
struct tls_seen *tls_server_seen(struct tls_server *server);

#endif
