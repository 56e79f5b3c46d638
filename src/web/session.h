#ifndef FSA_WEB_SESSION_H
#define FSA_WEB_SESSION_H

#include <stdbool.h>

#include "base/err.h"
#include "crypto/token.h"
#include "web/request.h"
#include "web/response.h"

/*
 * How a session travels: in a cookie, or as "Authorization: Bearer <token>" for programs and for
 * pages in a frame that get no cookies. Both carry the same 256-bit token (crypto/token.h), of
 * which only the hash is stored. Programs send an API token (store/api_token.h) as Bearer, which
 * differs from a session's in its form.
 *
 * The cookie is "__Host-fsa" (RFC 6265bis: Secure, this host, Path=/) where the site has https,
 * "fsa" without; HttpOnly and SameSite=Lax. Where other sites may show ours in a frame, it is
 * SameSite=None and Partitioned (CHIPS): each of those sites then has a session of its own, which
 * is sent in no other's frame.
 */

enum credential {
	CREDENTIAL_NONE,
	CREDENTIAL_COOKIE, /* whatever page made the browser send it: needs csrf_check() */
	CREDENTIAL_BEARER,
	CREDENTIAL_API_TOKEN,
};

/* The token of a request. Bearer takes precedence over a cookie, even if it is invalid.
 * ERR_UNAUTHENTICATED: none, or one that cannot be a token. */
int session_token(const struct request *r, bool secure, char ret_token[API_TOKEN_LENGTH + 1],
		  enum credential *ret_credential, struct err *e);

/* Set-Cookie with the token for `lifetime_s` seconds, and one that removes the cookie. `framed`
 * needs `secure`. */
void session_set_cookie(struct response *r, bool secure, bool framed, const char *token,
			unsigned long long lifetime_s);
void session_drop_cookie(struct response *r, bool secure, bool framed);

#endif
