#ifndef FSA_STORE_BUDGET_H
#define FSA_STORE_BUDGET_H

#include <stdint.h>

#include "base/err.h"
#include "db/db.h"

/*
 * How much a user may change: a token bucket, in PostgreSQL, for all hosts and whatever they come
 * with, sessions or API tokens. So what grows with each change (the audit, events, kept answers,
 * the reconciler's work) is bounded for each user, from however many addresses they come.
 *
 * What ends access has a bucket of its own: whoever has got hold of a session must not be able to
 * keep its owner from ending it by changing this and that.
 */
enum budget { BUDGET_CHANGES, BUDGET_ENDS_OF_ACCESS };

struct budget_limit {
	uint64_t burst;      /* at once */
	uint64_t per_minute; /* after that */
};

/* Takes one. ERR_RATE_LIMITED with retry_after_s, code TOO_MANY_CHANGES, and nothing is taken. Not
 * inside a transaction: its row would be locked, and one user's changes stand in line, until that
 * ends. */
int budget_take(struct db *db, const char *user_id, enum budget budget,
		const struct budget_limit *limit, struct err *e);

#endif
