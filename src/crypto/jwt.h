#ifndef FSA_CRYPTO_JWT_H
#define FSA_CRYPTO_JWT_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/err.h"

/*
 * JSON Web Tokens from strangers (RFC 7519, compact form), read as RFC 8725 advises: the caller
 * names the one algorithm, never the token; nothing in it counts before its signature was checked;
 * a member that is there twice, an extension ("crit") and anything after the third part are
 * refused. libjwt checks signatures; the rest, which its version 1 leaves to its callers, is here.
 *
 * What is wrong is ERR_UNAUTHENTICATED, code INVALID_TOKEN or EXPIRED_TOKEN; a message never has
 * a part of the token.
 */
enum jwt_algorithm {
	JWT_HS256, /* the key: the shared secret, at least JWT_SECRET_MIN bytes (RFC 7518, 3.2) */
	JWT_RS256, /* the key: a public key in PEM */
	JWT_ES256,
};

enum { JWT_MAX_BYTES = 131072, JWT_SECRET_MIN = 32, JWT_CLOCK_SKEW_S = 60 };

struct jwt_key {
	enum jwt_algorithm algorithm;
	const void *bytes;
	size_t length;
};

/* The header of a token whose signature has not been checked: use it only to find the key to check
 * it with ("kid"). The caller json_decref()s. */
int jwt_read_header(const char *token, json_t **ret_header, struct err *e);

/* The claims of a token that was signed with this key and algorithm, whatever its times say. The
 * caller json_decref()s. */
int jwt_read_claims(const char *token, const struct jwt_key *key, json_t **ret_claims,
		    struct err *e);

/* A token with these claims, signed by HMAC-SHA256 with a key of TOKEN_HASH_BYTES. The caller
 * frees. */
char *jwt_sign(const json_t *claims, const uint8_t *key);

/* Whether the token is valid at `now` (Unix seconds): "exp" is required and lies ahead, "nbf" and
 * "iat", if there, do not. They are integers up to the year 9999. Clocks may differ by
 * JWT_CLOCK_SKEW_S, but a token that says itself that it has expired is not taken. */
int jwt_check_times(const json_t *claims, int64_t now, struct err *e);

/* A claim that must be a string of 1 to `max` bytes without control characters: the claims'. */
int jwt_text(const json_t *claims, const char *name, size_t max, const char **ret_text,
	     struct err *e);

#endif
