#ifndef FSA_STORE_THROTTLE_H
#define FSA_STORE_THROTTLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "crypto/token.h"
#include "db/db.h"

/*
 * How often a login may be attempted: counted for the account, whether it exists or not, and for
 * the client's address (for IPv6, its /64). Beyond a few free failures, each doubles the wait until
 * the next attempt, beginning with a second; failures expire one by one. In the end, somebody who
 * keeps guessing has one attempt per expiry time.
 *
 * An attempt counts as a failure when it begins, so that many at once gain nothing, and is taken
 * back when it succeeds. An attempt that is refused does not count, so that hammering does not
 * prolong the wait. Sessions are not affected. An address where the account is logged in is counted
 * separately: somebody who fails on purpose elsewhere does not lock its owner out there.
 *
 * Clients on this machine are not counted: they are administrators, or a server in front that does
 * not pass on its clients' addresses. nginx decides which these are, for its own limits and for
 * these (nginx/fullstack-agent/http.conf). It also decides what one client is: an IPv4 address, or
 * an IPv6 /64.
 *
 * Registrations are also counted for the address, separately, and including those that succeed.
 *
 * The state is in PostgreSQL, for all hosts, by its clock. Each attempt removes a few healed rows.
 */
struct throttle_client {
	const char *address; /* NULL if unknown */
	bool local;          /* on this machine: not counted */
};

struct throttle {
	size_t count;
	struct throttle_key {
		uint8_t hash[TOKEN_HASH_BYTES];
		const struct throttle_limit *limit;
	} keys[2];
};

/* What counts as one client: a /64 of IPv6, or one address of IPv4, written as IPv6. Returns false
 * if the client is not counted. */
enum { THROTTLE_NETWORK_SIZE = 46 }; /* INET6_ADDRSTRLEN */
bool throttle_network(const struct throttle_client *client,
		      char ret_network[THROTTLE_NETWORK_SIZE]);

/* `account`: a user name in any case; NULL: only the address counts. ERR_RATE_LIMITED with
 * retry_after_s, code TOO_MANY_ATTEMPTS. Not in a transaction that then waits for a password. */
int throttle_begin(struct db *db, const char *account, const struct throttle_client *client,
		   struct throttle *ret_throttle, struct err *e);
/* A registration from that address, which is not taken back. ERR_RATE_LIMITED, code
 * TOO_MANY_REGISTRATIONS. */
int throttle_registration(struct db *db, const struct throttle_client *client, struct err *e);
/* The attempt succeeded: it does not count. */
int throttle_forgive(struct db *db, const struct throttle *throttle, struct err *e);

#endif
