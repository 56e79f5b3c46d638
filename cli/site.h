#ifndef FSA_CLI_SITE_H
#define FSA_CLI_SITE_H

#include <curl/curl.h>
#include <jansson.h>

#include "base/err.h"

/*
 * Requests to a site's HTTP API (web/openapi.json). What a site answers is not to be believed more
 * than any stranger: answers are capped, redirects are not followed, so that a token goes nowhere
 * else, and certificates are verified. The environment's proxies are used, as by other programs.
 */
struct site {
	char *url;     /* scheme, host and port */
	char *token;   /* NULL: without one */
	char *ca_file; /* NULL: the system's authorities */
	CURL *curl;
};

/* The one that is meant: `wanted`, or with NULL the current one (cli/sites.h), with $FSA_TOKEN in
 * place of the token that is stored. ERR_UNAUTHENTICATED: not logged in. */
int site_open(const char *wanted, struct site *ret_site, struct err *e);
/* One that need not be stored; `token` and `ca_file` may be NULL. All is copied. */
void site_open_with(const char *url, const char *token, const char *ca_file, struct site *ret_site);
void site_close(struct site *site); /* for CLEANUP, too */

/* One request. `path` begins with '/'; `body` may be NULL. What changes something has an
 * Idempotency-Key, and is sent again when its answer was lost. The error is the site's own, by its
 * status: kind, code and message. `ret_answer` may be NULL. */
int site_call(struct site *site, const char *method, const char *path, const json_t *body,
	      json_t **ret_answer, struct err *e);

/* As it may stand in a path or query. The caller frees. */
char *site_escape(const char *text);

#endif
