#ifndef FSA_CTL_FETCH_H
#define FSA_CTL_FETCH_H

#include <stdbool.h>
#include <time.h>

#include "base/buf.h"

/*
 * A GET of the site, as a browser would send it: of an address that the operator has configured, so
 * no policy for addresses is in the way. Nothing of the environment counts.
 */
enum fetch_failure {
	FETCH_OK,
	FETCH_UNREACHABLE, /* name, connection, no answer in time */
	FETCH_CERTIFICATE, /* browsers would refuse it */
	FETCH_OTHER,
};

struct fetch {
	enum fetch_failure failure;
	char message[256]; /* why, for people */
	long status;       /* of HTTP */
	char type[64];     /* Content-Type */
	struct buf body;
	/* Of the certificate that was shown; 0: none. */
	time_t not_before, not_after;
};

/* `address`: connect there instead of to the host in `url`, as "127.0.0.1:8080"; or NULL.
 * `ca_file`: the accepted CAs, in PEM; NULL: any certificate is accepted, for inspection. */
void fetch_get(const char *url, const char *address, const char *ca_file, struct fetch *ret_fetch);
void fetch_clear(struct fetch *fetch);

#endif
