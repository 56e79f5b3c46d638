#ifndef FSA_RECONCILE_AFTERMATH_H
#define FSA_RECONCILE_AFTERMATH_H

#include <stdint.h>

#include "base/err.h"
#include "db/db.h"

/*
 * After a process of a pass was ended, or has crashed: the rows that it held are given back at
 * once, but for those of the user for whom it worked (`owner`, an id; "": nobody). Theirs have the
 * cause KUBE_STALLED and are not claimed for a while, as shard_charge() says; `what` is what
 * happened, for people. `took_ms` is for how long nobody else was served.
 */
struct aftermath {
	const char *worker; /* struct queue_claim */
	const char *owner;
	const char *what;
	uint64_t took_ms;
};
int aftermath(struct db *db, const struct aftermath *a, struct err *e);

#endif
