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
 * which only the hash is stored.
 *
 * The cookie is "__Host-fsa" (RFC 6265bis: Secure, this host, Path=/) where the site has https,
 * "fsa" without; HttpOnly and SameSite=Lax. Where other sites may show ours in a frame, it is
 * SameSite=None and Partitioned (CHIPS): each of those sites then has a session of its own, which
 * is sent in no other's frame.
 */

const char *session_cookie_name(bool secure);

/* The token a request carries; Bearer counts before a cookie. ERR_UNAUTHENTICATED: none, or one
 * that cannot be a token. `ret_by_cookie`: the request needs csrf_check(). */
int session_token(const struct request *r, bool secure, char ret_token[TOKEN_LENGTH + 1],
		  bool *ret_by_cookie, struct err *e);

/* Set-Cookie with the token for `lifetime_s` seconds, and one that takes the cookie away. `framed`
 * needs `secure`. */
void session_set_cookie(struct response *r, bool secure, bool framed, const char *token,
			unsigned long long lifetime_s);
void session_drop_cookie(struct response *r, bool secure, bool framed);

#endif
