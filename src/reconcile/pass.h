#ifndef FSA_RECONCILE_PASS_H
#define FSA_RECONCILE_PASS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/conf.h"
#include "base/err.h"
#include "crypto/seal.h"
#include "db/db.h"
#include "reconcile/wake.h"
#include "reconcile/desired.h"
#include "store/queue.h"

/*
 * One pass over the rows of a shard: claim what is due, observe, decide, act, record; again and
 * again until nothing is due and nothing is expected within moments, or its time is up. Rows
 * advance independently of each other, so a dead API server delays its owner's rows only. See
 * reconcile/shards.h for the processes in which this runs.
 */
struct reconciler {
	const struct conf *conf;
	struct db *db;
	struct wake *wake;
	struct desired_context desired;
	struct keyring *cluster_private;
	bool published; /* the options for new rows, since the start */
	struct queue_shard shard;
	uint64_t claim_until_ms; /* rows of all sorts */
	uint64_t close_until_ms; /* rows that are well, while others are in flight */
};

struct pass_summary {
	uint64_t claimed;  /* rows */
	uint64_t recorded; /* of these, with a result */
	uint64_t changed;  /* of these, with another status than before */
	uint64_t failed;   /* of these, with a cause */
	uint64_t stale;    /* results that came too late to count */
	uint64_t released; /* given back without a result */
	uint64_t requests; /* to API servers */
	uint64_t elapsed_ms;
	uint64_t next_due_ms; /* until the next row is due; UINT64_MAX: none waits */
};

enum { PASS_WORKER_MAX = 96 };
/* Who holds a lease, for people: a process of this host. */
void pass_worker(pid_t pid, char ret_worker[PASS_WORKER_MAX]);

/* ERR_UNAVAILABLE: the database is away; leases that could not be given back run out. The summary
 * is filled either way. */
int pass_run(struct reconciler *r, struct pass_summary *ret_summary, struct err *e);

#endif
