#ifndef FSA_HTTP_CLIENT_H
#define FSA_HTTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/buf.h"
#include "base/err.h"

/*
 * Many HTTPS requests at once, on one thread (libcurl's multi interface). Requests to one server
 * with the same trust share an HTTP/2 connection. The environment is ignored (no proxy, no .netrc),
 * no redirect is followed, and nothing is retried on a new connection once a response has begun.
 * The address policy is applied to the address that is really connected to, so a name that resolves
 * differently the second time gains nothing. A request that could not be sent within its timeout is
 * never sent, also when the process was stopped meanwhile. The computing and reading that a server
 * can cause without responding is bounded (http/guard.h).
 */
struct http_client;
struct call; /* a request under way */

struct http_client_options {
	uint64_t connect_timeout_ms; /* name resolution, TCP and TLS */
	const char *allow_addresses; /* see http/address.h; or NULL */
	const char *ca_file;         /* whom to believe where a request does not say; or NULL */
	/* Receives, for the operator's log, a forbidden address that a name resolved to. (A
	 * `message` is for the author of the name, who must not learn what it resolves to here.) Or
	 * NULL. */
	void (*refused)(const char *url, const char *address, const char *what);
};

/* Whom to believe, and what to show: PEM. Strings must live as long as the request. */
struct http_trust {
	const char *ca_pem;                    /* NULL: the client's ca_file */
	const char *certificate_pem, *key_pem; /* or both NULL */
};

enum { HTTP_HEADERS_MAX = 8 };

/* All is copied at submission, but for `trust`. */
struct http_request {
	const char *method;
	const char *url;
	const char *owner; /* whose request it is, for base/heartbeat.h; or NULL */
	const char *headers[HTTP_HEADERS_MAX]; /* "Name: value", up to the first NULL */
	const char *body;                      /* or NULL */
	const struct http_trust *trust;
	uint64_t timeout_ms; /* of the whole request */
	size_t body_max;     /* largest answer that is read */
	/* Asked, with `done`'s user, before each part of the answer is kept; or NULL. */
	bool (*reserve_bytes)(void *user, size_t bytes);
	/* For a streamed response: called, with `done`'s user, first with no bytes when the head
	 * has arrived, and then for each part of the body of a 200, which is not kept; false ends
	 * it. Or NULL. */
	bool (*take)(void *user, const char *data, size_t length);
};

enum http_failure {
	HTTP_OK,                /* a whole answer came, whatever its status */
	HTTP_ADDRESS_FORBIDDEN, /* by the address policy */
	HTTP_UNREACHABLE,       /* name, connection, or hung up before an answer */
	HTTP_TIMEOUT,
	HTTP_TLS,
	HTTP_COSTLY_CERTIFICATES, /* verifying them would take too long (http/certificate.h) */
	HTTP_NO_CONTENT,          /* too much came that was no answer (http/guard.h) */
	HTTP_TOO_LARGE,           /* more than body_max, or than its caller has memory for */
	HTTP_CUT_OFF,             /* the answer ended before it was whole */
	HTTP_PROTOCOL,            /* not HTTP */
	HTTP_FAILURE_COUNT
};

struct http_answer {
	enum http_failure failure;
	const char *message; /* why, for people; "" for HTTP_OK. May quote the server */
	long status;         /* 0: none came */
	unsigned retry_after_s;
	time_t date;      /* of the server's clock; 0: it did not say */
	const char *body; /* NUL-terminated; "" if none came */
	size_t length;
	unsigned handshakes; /* connections that were opened for it */
};

/* The answer is the callee's to look at until it returns. */
typedef void http_done_fn(void *user, const struct http_answer *answer);

/* ERR_INVALID: allow_addresses cannot be read. */
int http_client_new(const struct http_client_options *options, struct http_client **ret_client,
		    struct err *e);
/* Aborts what is in flight without calling back. NULL is fine. Not from within a callback. */
void http_client_free(struct http_client *client);

/* `done` is called exactly once, from http_client_poll(). Requests may be submitted from there. The
 * result is good until then. */
struct call *http_client_submit(struct http_client *client, const struct http_request *request,
				http_done_fn *done, void *user);
/* Ends a request without calling back. Not from within a callback. */
void http_client_cancel(struct call *call);
/* Works for at most `timeout_ms`, returns early once something was done or taken, when `wake_fd`
 * (or -1) is readable, or when there is nothing to wait for. Returns how many were done. */
size_t http_client_poll(struct http_client *client, int timeout_ms, int wake_fd);
size_t http_client_pending(const struct http_client *client);
uint64_t http_client_submitted(const struct http_client *client); /* since the start */

/* A string as it may stand in a query. The caller frees. */
char *http_escape(const char *text);

#endif
