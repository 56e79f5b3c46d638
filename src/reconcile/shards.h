#ifndef FSA_RECONCILE_SHARDS_H
#define FSA_RECONCILE_SHARDS_H

#include "base/err.h"
#include "reconcile/pass.h"

/*
 * A pass and its processes: one for each shard of the users that has something due, started when it
 * has, ended when it has no more. This one, their parent, speaks to PostgreSQL only; whatever is
 * done with what a stranger sent is done in a process of a shard. One whose loop does not turn for
 * stall_time is ended, whoever's server it was busy with is charged for it, and the rows of the
 * others are given back at once: what no limit has foreseen costs the users of one shard a moment.
 *
 * ERR_UNAVAILABLE: the database is away; leases that could not be given back run out. The summary
 * is filled either way. All processes have ended when this returns.
 */
int shards_run(struct reconciler *r, struct pass_summary *ret_summary, struct err *e);

#endif
