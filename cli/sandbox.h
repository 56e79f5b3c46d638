#ifndef FSA_CLI_SANDBOX_H
#define FSA_CLI_SANDBOX_H

#include "site.h"

/*
 * Requests for the inside of a sandbox go to the sandbox's own address
 * (runtime/sandboxd/openapi.yaml), never through the site. The site issues a token for it, for an
 * hour at most; when it has expired another one replaces it.
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
/* For what has to be undone after an interruption: from now on nothing is cancelled, and each
 * request has ten seconds. */
void sandbox_hurry(struct sandbox *sandbox);
void sandbox_close(struct sandbox *sandbox); /* for CLEANUP, too */

#endif
