#ifndef FSA_WEB_IDEMPOTENCY_KEY_H
#define FSA_WEB_IDEMPOTENCY_KEY_H

#include <stdint.h>

#include "base/err.h"
#include "web/request.h"

/* The Idempotency-Key header (draft-ietf-httpapi-idempotency-key-header-06): a string in quotes
 * (RFC 8941, without escapes), or the same without them, of 1 to 255 visible ASCII characters. */
enum { IDEMPOTENCY_KEY_MAX = 255 };

/* `ret_key` is "" where the request has none. ERR_INVALID, code INVALID_IDEMPOTENCY_KEY. */
int idempotency_key_read(const struct request *r, char ret_key[IDEMPOTENCY_KEY_MAX + 1],
			 struct err *e);
/* SHA-256 of method, path, query parameters and body: what makes a request the same one. */
void idempotency_fingerprint(const struct request *r, uint8_t ret_fingerprint[32]);

#endif
