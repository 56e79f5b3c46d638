#ifndef FSA_HTTP_GUARD_H
#define FSA_HTTP_GUARD_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/ssl.h>

#include "base/err.h"

/*
 * What a server may cost below HTTP, where libcurl has no limits and, while bytes come, does not
 * return: one guard per connection, created when its TLS begins and called for each record that is
 * read.
 *
 * - The heartbeat is told which user the process is reading for.
 * - Bytes are counted. What is delivered as the bodies of answers pays for itself; what is not
 *   (frames without data, padding, chunks' heads, headers, acknowledgements, key updates) has an
 *   allowance for the connection and one for each request. Beyond that the connection is ended from
 *   within OpenSSL, so that any loop reading from it sees the end at once.
 * - The handshake uses what is cheap: elliptic curves, no renegotiation, and certificates within
 * the bounds of http/certificate.h, which are checked before any of them is verified.
 */
enum {
	GUARD_CONNECTION_BYTES = 262144,
	GUARD_REQUEST_BYTES = 16384, /* API servers need 1,000 */
	/* The minimum that is counted for a record, however small, and for each message during a
	 * handshake or after it: one record can hold hundreds of tickets. */
	GUARD_RECORD_BYTES = 1024,
	GUARD_BODY_SHARE = 8, /* and an eighth of what is delivered, for frames and records */
	GUARD_OWNER_MAX = 63,
};

enum guard_verdict { GUARD_FINE, GUARD_NO_CONTENT, GUARD_COSTLY_CERTIFICATES };

struct guard;

/* Guards the one connection for which `context` is made; `owner`: see base/heartbeat.h. The result
 * is shared with the context, which may go first; guard_unref() it. */
struct guard *guard_new(SSL_CTX *context, const char *owner);
/* That of an open connection, to be guard_unref()ed too; NULL: it has none. */
struct guard *guard_of(SSL *ssl);
void guard_unref(struct guard *guard); /* NULL is fine, as for all below */

/* A request is sent over the connection. */
void guard_add_request(struct guard *guard);
/* So much of an answer's body came out of it. */
void guard_add_body(struct guard *guard, size_t bytes);

enum guard_verdict guard_verdict(const struct guard *guard);
/* For GUARD_COSTLY_CERTIFICATES: which certificate, and what is accepted. */
const char *guard_reason(const struct guard *guard);

#endif
