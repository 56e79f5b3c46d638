#ifndef FSA_CLI_SANDBOX_H
#define FSA_CLI_SANDBOX_H

#include "site.h"

/*
 * Requests to a sandbox's inside go to its own address (runtime/sandboxd/openapi.yaml), never
 * through the site. The site issues a token for them, valid for an hour at most; when it has
 * expired, it is replaced.
 */
struct sandbox {
	struct site *site;
	char *project; /* its id */
	const char *scopes;
	struct site server; /* requests go there by site_call() and exchanges */
};

/* `scopes`, separated by blanks: "exec files:read". The caller closes it, before the site. */
int sandbox_open(struct site *site, const json_t *project, const char *scopes,
		 struct sandbox *ret_sandbox, struct err *e);
int sandbox_renew(struct sandbox *sandbox, struct err *e);
/* For cleaning up after an interruption: from now on nothing is cancelled, and each request has ten
 * seconds. */
void sandbox_hurry(struct sandbox *sandbox);
void sandbox_close(struct sandbox *sandbox); /* for CLEANUP, too */

#endif
