#ifndef FSA_STORE_BUDGET_H
#define FSA_STORE_BUDGET_H

#include <stdint.h>

#include "base/err.h"
#include "db/db.h"

/*
 * How much a user may change: a token bucket in PostgreSQL, for all hosts, and for sessions and API
 * tokens alike. So everything that grows with each change (the audit, events, kept responses, the
 * reconciler's work) is bounded for each user, from however many addresses they come.
 *
 * Ending access has a bucket of its own: somebody who has taken over a session must not be able to
 * keep its owner from ending it by making other changes.
 */
enum budget { BUDGET_CHANGES, BUDGET_ENDS_OF_ACCESS };

struct budget_limit {
	uint64_t burst;      /* at once */
	uint64_t per_minute; /* after that */
};

/* Takes one. ERR_RATE_LIMITED with retry_after_s, code TOO_MANY_CHANGES, and nothing is taken. Not
 * inside a transaction: the row would stay locked until its end, and the user's other changes would
 * wait. */
int budget_take(struct db *db, const char *user_id, enum budget budget,
		const struct budget_limit *limit, struct err *e);

#endif
