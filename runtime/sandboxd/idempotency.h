#ifndef SANDBOXD_IDEMPOTENCY_H
#define SANDBOXD_IDEMPOTENCY_H

#include <jansson.h>

#include "base/err.h"

/* Which Idempotency-Keys have started what, for the last few thousand of them: longer than what
 * they have started is remembered. */

/* 1 and the id if the key is known, 0 if not; IDEMPOTENCY_MISMATCH when it was for something
 * else. `ret_id` has room for 17 characters. */
int idempotency_find(const char *key, const json_t *request, char *ret_id, struct err *e);
void idempotency_keep(const char *key, const json_t *request, const char *id);

#endif
