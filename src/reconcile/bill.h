#ifndef FSA_RECONCILE_BILL_H
#define FSA_RECONCILE_BILL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "db/db.h"
#include "store/spending.h"

/*
 * What users' API servers have cost in processor time, and what of it they are charged.
 *
 * An observation that succeeds may cost BILL_FREE_US, several times what honest servers need; what
 * stays below that pays for earlier charges. One that was cut short, or for which there was no
 * connection, may cost BILL_TRIED_US, and pays nothing. All that goes beyond that, and whatever was
 * spent on those that failed, is charged to the user. All users in debt together get a
 * BILL_SHARE-th of this machine (store/spending.h).
 */
enum { BILL_FREE_US = 20000, BILL_TRIED_US = 2000, BILL_SHARE = 20, BILL_MAX = 128 };

enum bill_outcome {
	BILL_SUCCEEDED,
	BILL_TRIED, /* no connection, or none was asked for: nobody has wasted anything yet */
	BILL_FAILED,
};

struct bill {
	size_t count;
	struct bill_item {
		const char *user_id; /* borrowed */
		bool in_debt;        /* when the row was claimed */
		uint64_t free_us;
		uint64_t paying_us; /* of these, what pays for earlier charges if it is not used */
	} items[BILL_MAX];
};

/* A user's row, or kubeconfig, was observed. At most BILL_MAX users. */
void bill_add(struct bill *bill, const char *user_id, bool in_debt, enum bill_outcome outcome);
/* What a user is charged, or has paid, after a cost of `us`. */
struct spending bill_settle(const struct bill_item *item, uint64_t us);
/* Takes what these users have cost (base/spending.h) and charges them. Before the results are
 * recorded: else their rows could be claimed in between. */
int bill_charge(const struct bill *bill, struct db *db, struct err *e);

#endif
