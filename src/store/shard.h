#ifndef FSA_STORE_SHARD_H
#define FSA_STORE_SHARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "db/db.h"
#include "domain/types.h"

/*
 * The statements of the parent of a pass's processes: which shards have something to do, and what
 * happens to the rows of a process that was ended.
 */

/* Sets `due[i]` for each of `count` shards that has rows, or checks of kubeconfigs, to be claimed
 * now. `only_well`: only rows without a known fault. */
int shard_find_due(struct db *db, unsigned count, bool only_well, bool *due, struct err *e);

/* A row that a process holds, or held when it ended. */
struct shard_lease {
	const char *id, *user_id;
	int64_t lease_epoch, generation;
	enum desired desired;
	enum status status;
	uint64_t status_age_ms;
	enum stage stage;
	unsigned attempts;
};
struct shard_leases {
	PGresult *result;
	size_t count;
	struct shard_lease *items;
};
/* Those claimed by this `worker` (struct queue_claim) and not given back. */
int shard_find_leases(struct db *db, const char *worker, struct shard_leases *ret_leases,
		      struct err *e);
void shard_leases_clear(struct shard_leases *leases);

/*
 * A user's API server has kept a process busy until it was ended: none of their rows is claimed for
 * `*ret_ms`, which is 15 s at first, doubles up to 15 min, and is reset after a day without a
 * stall. ERR_NOT_FOUND: there is no such user any more.
 */
int shard_charge(struct db *db, const char *user_id, uint64_t *ret_ms, struct err *e);

#endif
