#ifndef FSA_RECONCILE_AFTERMATH_H
#define FSA_RECONCILE_AFTERMATH_H

#include <stdint.h>

#include "base/err.h"
#include "db/db.h"

/*
 * After a process of a pass was ended, or has crashed: gives its rows back at once, except those of
 * the user for whom it worked (`owner`, an id; "": nobody). These get the cause KUBE_STALLED and
 * are not claimed for a while (see shard_charge()); `what` describes the event for people.
 * `took_ms` is the time during which the other users were not served.
 */
struct aftermath {
	const char *worker; /* struct queue_claim */
	const char *owner;
	const char *what;
	uint64_t took_ms;
};
int aftermath(struct db *db, const struct aftermath *a, struct err *e);

#endif
