#ifndef FSA_PROVIDER_FETCH_H
#define FSA_PROVIDER_FETCH_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "base/err.h"

/*
 * One request to an identity provider, waited for: https only, no redirects, the address policy of
 * http/client.h, a time and a size that are capped. A provider may be slow, fail or lie; all of
 * that is ERR_PROVIDER, with code PROVIDER_TIMEOUT, PROVIDER_UNREACHABLE or PROVIDER_ANSWER.
 */
struct fetcher;

enum { FETCH_BODY_MAX = 262144 };

struct fetcher_options {
	const char *ca_file;         /* PEM: whom to believe */
	const char *allow_addresses; /* or NULL */
	uint64_t timeout_ms;         /* of one request */
};
/* ERR_INVALID: a file or a network that cannot be read. */
int fetcher_new(const struct fetcher_options *options, struct fetcher **ret_fetcher, struct err *e);
void fetcher_free(struct fetcher *f); /* NULL is fine */

struct fetch {
	const char *url;
	const char *bearer; /* or NULL: a token that passed fetch_is_token() */
	const char *basic;  /* or NULL: "id:secret", each form-encoded (RFC 6749, section 2.3.1) */
	const char *form;   /* an application/x-www-form-urlencoded body to POST, NULL: GET */
};
/* The JSON object of the response, and its status, whatever that is (RFC 6749 reports errors in the
 * body, too). The caller json_decref()s. */
int fetch_json(struct fetcher *f, const struct fetch *request, json_t **ret_object,
	       long *ret_status, struct err *e);

/* Whether a provider's token may stand in a header: visible ASCII, at most 8 KiB (RFC 6750). */
bool fetch_is_token(const char *text);

/* "name=value&…" of `pairs`, which end with a NULL name; pairs with a NULL value are left out. The
 * caller frees. */
char *fetch_form(const char *const pairs[][2]);

#endif
