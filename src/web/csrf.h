#ifndef FSA_WEB_CSRF_H
#define FSA_WEB_CSRF_H

#include <stdbool.h>

#include "base/err.h"

/*
 * Cross-site request forgery (OWASP's cheat sheet, "Fetch Metadata" with Origin as fallback): a
 * request that changes something must say that it comes from our own pages. Sec-Fetch-Site must be
 * same-origin, or none (typed by the user); where a browser does not send it, Origin must be ours.
 *
 * A request with neither is refused if it is authenticated by a cookie. A client that uses a cookie
 * outside a browser must send Origin, too, or send the session as "Authorization: Bearer", which is
 * not checked here because no foreign page can make a browser send it.
 *
 * `site`, `origin`: the headers or NULL. ERR_FORBIDDEN, code CSRF.
 */
int csrf_check(const char *site, const char *origin, const char *public_origin, bool by_cookie,
	       struct err *e);

/* Scheme, host and port of a URL as browsers write an Origin: lower case, without default port.
 * ERR_INVALID: not an http or https URL. The caller frees. */
int csrf_origin(const char *url, char **ret_origin, struct err *e);

#endif
