#ifndef FSA_STORE_THROTTLE_H
#define FSA_STORE_THROTTLE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "crypto/token.h"
#include "db/db.h"

/*
 * How often somebody may try to log in: counted for the account that is tried, whether it exists or
 * not, and for the address that tries (of IPv6, its /64). Failures beyond a few that are free make
 * the wait until the next attempt grow, doubling from a second; time heals them one by one. The two
 * meet: whoever goes on guessing ends with one attempt in each healing time.
 *
 * An attempt counts as a failure when it begins, so that many at once gain nothing, and is taken
 * back when it succeeds. An attempt that is refused does not count, so that hammering does not
 * prolong the wait. Sessions are not concerned. From an address where the account is logged in, it
 * is counted apart: whoever fails elsewhere on purpose does not lock its owner out there.
 *
 * Loopback addresses are not counted: that is an administrator, or a server in front that does not
 * pass on its clients' addresses (as for the limits in nginx/fullstack-agent/http.conf).
 *
 * The state is in PostgreSQL, for all hosts, by its clock. Each attempt removes a few healed rows.
 */
struct throttle {
	size_t count;
	struct throttle_key {
		uint8_t hash[TOKEN_HASH_BYTES];
		const struct throttle_limit *limit;
	} keys[2];
};

/* `account`: a user name, in lower case or not; NULL: only the address counts. `address`: NULL if
 * unknown. ERR_RATE_LIMITED with retry_after_s, code TOO_MANY_ATTEMPTS. Not inside a transaction
 * that waits for a password. */
int throttle_begin(struct db *db, const char *account, const char *address,
		   struct throttle *ret_throttle, struct err *e);
/* The attempt succeeded: it does not count. */
int throttle_forgive(struct db *db, const struct throttle *throttle, struct err *e);

#endif
