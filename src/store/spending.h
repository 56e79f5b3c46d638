#ifndef FSA_STORE_SPENDING_H
#define FSA_STORE_SPENDING_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "db/db.h"

/*
 * Processor time that users' API servers have cost for nothing. Whoever owes 10 ms of it, charged
 * within the last hour, is in debt. Nothing of any user in debt is claimed during a pause, which
 * all of them share and which each charge makes longer, up to a quarter of an hour: so they take a
 * bounded part of the machine's time together, however many they are.
 */
struct spending {
	const char *user_id;
	uint64_t charged_us,
		paid_us; /* what they owe grows by the first, and shrinks by the second */
};
/* Each user once; those who no longer exist are passed over. */
int spending_record(struct db *db, const struct spending *items, size_t count, uint64_t pause_us,
		    struct err *e);

#endif
