#ifndef FSA_CLI_SITE_H
#define FSA_CLI_SITE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <curl/curl.h>
#include <jansson.h>

#include "base/buf.h"
#include "base/err.h"

/*
 * Requests to a site's HTTP API (web/openapi.json). A site is trusted no more than any stranger:
 * responses are capped, redirects are not followed, so that a token goes nowhere else, and
 * certificates are verified. The environment's proxies are used, as by other programs.
 */
struct site {
	char *url;     /* scheme, host and port */
	char *token;   /* NULL: without one */
	char *ca_file; /* NULL: the system's authorities */
	CURL *curl;
	const char *hint; /* what to do when the token is refused: "fsa login"; NULL: nothing */
	/* When it becomes true, what waits for the site or its sandboxes fails with code
	 * INTERRUPTED; NULL: never. A change that has been sent is awaited first, as its response
	 * may name what has to be undone; code UNANSWERED: none came within ten seconds. */
	const atomic_bool *cancelled;
	long timeout_ms; /* of one request, without files */
};

/* The site `wanted`, or with NULL the current one (cli/sites.h). If `wanted` is given and
 * $FSA_TOKEN is set, that token is used and no stored one. ERR_UNAUTHENTICATED: not logged in. */
int site_open(const char *wanted, struct site *ret_site, struct err *e);
/* A site that need not be stored; `token` and `ca_file` may be NULL. All is copied. */
void site_open_with(const char *url, const char *token, const char *ca_file, struct site *ret_site);
void site_close(struct site *site); /* for CLEANUP, too */
/* A handle that only opens a connection, for another protocol over it. */
CURL *site_connect_only(const struct site *site);

/* One request. `path` begins with '/'; `body` may be NULL. A change has an Idempotency-Key, and is
 * sent again if its response was lost. The error is the site's own, according to its status: kind,
 * code and message. `ret_answer` may be NULL. */
int site_call(struct site *site, const char *method, const char *path, const json_t *body,
	      json_t **ret_answer, struct err *e);

/* For requests beyond JSON for JSON: several at once, bytes, headers. */
struct exchange {
	CURL *curl;
	struct buf answer;
	struct curl_slist *headers;
	FILE *to; /* where the response is written, or NULL */
	char said[CURL_ERROR_SIZE];
	FILE *from;
	size_t unsent; /* of it */
	long status;
	bool too_large;
	bool headers_ended;           /* of the response: by an empty line */
	const atomic_bool *cancelled; /* the site's */
	bool awaited, sent;
	uint64_t cancelled_at_ms; /* although its response is still awaited; 0: not */
};

struct exchange_request {
	const char *method, *path, *type; /* of the body: application/json */
	const char *body;                 /* lives as long as the exchange; NULL: none */
	size_t length;
	FILE *from, *to; /* files for the request's body, which is the next `length` bytes,
			  * and for the response's; or NULL */
	bool repeatable; /* with an Idempotency-Key */
	bool awaited;    /* once sent, a cancellation waits for the response */
	const char *const *headers; /* more of them, up to a NULL; or NULL */
};

/* With its own easy handle, to be performed alone or by a multi handle. The caller releases it. */
void exchange_begin(const struct site *site, const struct exchange_request *r,
		    struct exchange *ret_x);
/* The result, from libcurl and the HTTP status. ERR_UNAVAILABLE with code SITE_UNREACHABLE: it may
 * be tried again. */
int exchange_end(const struct site *site, struct exchange *x, CURLcode code, struct err *e);
const char *exchange_header(const struct exchange *x, const char *name); /* "": it is not there */
uint64_t exchange_number(const struct exchange *x, const char *header);  /* 0: it is not there */
bool exchange_is(const struct exchange *x, const char *header, const char *value);
void exchange_release(struct exchange *x); /* for CLEANUP, too */

/* Whether the program is to end. If so, sets the error, too. */
bool site_is_cancelled(const struct site *site, struct err *e);

/* Whether a request has failed because the site or the sandbox is out of reach. */
bool site_is_away(const struct err *e);

/* Escapes text for a path or query. The caller frees. */
char *site_escape(const char *text);

#endif
