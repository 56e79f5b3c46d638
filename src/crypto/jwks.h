#ifndef FSA_CRYPTO_JWKS_H
#define FSA_CRYPTO_JWKS_H

#include <jansson.h>

#include "base/err.h"
#include "crypto/jwt.h"

/*
 * The key set that an issuer of tokens publishes (RFC 7517, 7518 section 6): finds the one public
 * key for a token. RSA keys of 2048 to 8192 bits for RS256, P-256 for ES256; keys that are said to
 * be for something else are passed over, and so are private and symmetric ones.
 *
 * `header` is the token's, unverified: its "alg" chooses between the two algorithms, its "kid" the
 * key. Without a "kid" there must be only one key for the algorithm. `ret_pem` is the caller's to
 * free. ERR_UNAUTHENTICATED, code INVALID_TOKEN: another algorithm, or no such key.
 */
enum { JWKS_KEYS_MAX = 100 };

int jwks_find(const json_t *jwks, const json_t *header, enum jwt_algorithm *ret_algorithm,
	      char **ret_pem, struct err *e);

#endif
