#ifndef FSA_TESTS_UNIT_TLS_SERVER_H
#define FSA_TESTS_UNIT_TLS_SERVER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "pki.h"

/* A small HTTP/1.1 server over TLS on 127.0.0.1, for tests of clients: it responds according to a
 * script, with errors if the script says so. It has its own process, and one more for each
 * connection; all end with tls_server_stop(). */

/* One row of the script; the first whose `match` is part of the request is used. */
struct tls_reply {
	const char *match;
	const char *status;  /* "200 OK"; NULL: only `raw` is sent */
	const char *headers; /* whole lines with "\r\n", or NULL */
	const char *body;    /* "$PEER" is replaced by the CN of the client's certificate */
	const char *raw;
	unsigned delay_ms; /* before the response */
	unsigned drip_ms;  /* between the bytes of `raw` */
	size_t repeat;     /* how often `again`, or `raw` from its '#' on, is repeated */
	const char *again;
	unsigned key_updates; /* number of TLS 1.3 key updates before the response */
	bool close;           /* hang up afterwards */
};

/* What the server has received; shared memory. */
struct tls_seen {
	atomic_int connections; /* after a successful handshake */
	atomic_int requests;
	char last[16384]; /* the last request, verbatim */
};

struct tls_server_options {
	const struct pki_pair *certificate;
	const char *client_ca_pem; /* clients must have a certificate from this CA; or NULL */
	const char *chain_pem;     /* sent beside its certificate; or NULL */
};

struct tls_server;

struct tls_server *tls_server_start(const struct tls_server_options *options,
				    const struct tls_reply *replies, size_t count);
void tls_server_stop(struct tls_server *server);
unsigned tls_server_port(const struct tls_server *server);
struct tls_seen *tls_server_seen(struct tls_server *server);

#endif
