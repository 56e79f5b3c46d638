#ifndef SANDBOXD_IDEMPOTENCY_H
#define SANDBOXD_IDEMPOTENCY_H

#include <jansson.h>

#include "base/err.h"

/* The last few thousand Idempotency-Keys and the processes that they have started: keys are
 * remembered longer than their processes. */

/* 1 and the id if the key is known, 0 if not; IDEMPOTENCY_MISMATCH when it was for something
 * else. `ret_id` has room for 17 characters. */
int idempotency_find(const char *key, const json_t *request, char *ret_id, struct err *e);
void idempotency_keep(const char *key, const json_t *request, const char *id);

#endif
