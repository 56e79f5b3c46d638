#ifndef FSA_STORE_IDEMPOTENCY_H
#define FSA_STORE_IDEMPOTENCY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "db/db.h"

/*
 * Idempotency keys (draft-ietf-httpapi-idempotency-key-header). The key's row is written in the
 * transaction of the mutation it protects, so a second request with the same key waits for the
 * first, and then either replays its answer or, if that was rolled back, does the work.
 */
struct idempotent_answer {
	bool replayed; /* the key was used before: this is its answer */
	int http_status;
	struct buf sealed; /* as given to idempotency_finish(); the caller releases it */
};

/* Inside a transaction: takes the key, or returns the stored answer. ERR_UNPROCESSABLE with code
 * IDEMPOTENCY_KEY_REUSED if it was used for another request (the fingerprint is SHA-256 of method,
 * path and body). ERR_CONFLICT with code IDEMPOTENCY_ANSWER_LOST if it was used for this one and
 * nothing but that is known any more. Rows older than `ttl_ms` do not count. */
int idempotency_begin(struct db *tx, const char *user_id, const char *key,
		      const uint8_t fingerprint[32], uint64_t ttl_ms,
		      struct idempotent_answer *ret_answer, struct err *e);
/* Inside the same transaction: what to answer to later requests, sealed, for it may be for its
 * owner's eyes only. */
int idempotency_finish(struct db *tx, const char *user_id, const char *key, int http_status,
		       const struct buf *sealed, struct err *e);
/* What to say when the answer cannot be had any more. */
int idempotency_answer_lost(struct err *e);

#endif
