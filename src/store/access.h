#ifndef FSA_STORE_ACCESS_H
#define FSA_STORE_ACCESS_H

#include <stdint.h>

#include <jansson.h>

#include "base/err.h"
#include "db/db.h"

/* Ends access: whatever lets somebody act as a user. Its holder may have read the tokens of
 * terminals, so these are renewed, and running terminals restart. */
struct access_ended {
	int64_t sessions, tokens; /* that there were */
	int64_t terminals;        /* that got other tokens */
};
/* All of it: sessions but `kept_hash`'s (NULL: all), API tokens, terminals. */
int access_end_all(struct db *tx, const char *user_id, const uint8_t *kept_hash,
		   struct access_ended *ret_ended, struct err *e);
/* The terminals alone, after a session or a token has ended. */
int access_renew_terminals(struct db *tx, const char *user_id, int64_t *ret_terminals,
			   struct err *e);
/* As an answer has it: success, count (sessions), tokens, terminals. */
json_t *access_ended_json(const struct access_ended *ended);

#endif
