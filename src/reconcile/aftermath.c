#include "reconcile/aftermath.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/parse.h"
#include "domain/decide.h"
#include "store/queue.h"
#include "store/shard.h"

/* A stall counts as a timeout: the cluster could not be observed. */
static struct queue_result stalled_result(const struct shard_lease *lease,
					  const struct aftermath *a, uint64_t held_ms,
					  const struct err *cause)
{
	struct decision d = decide(&(struct situation) {
		.desired = lease->desired,
		.observed = observed_of_failure(cause->kind),
		.status = lease->status,
		.status_age_ms = lease->status_age_ms,
	});

	return (struct queue_result) {
		.id = lease->id,
		.lease_epoch = lease->lease_epoch,
		.generation = lease->generation,
		.status = d.status,
		.stage = lease->stage,
		.attempts = lease->attempts + 1,
		.has_cause = true,
		.cause_kind = err_kind_name(cause->kind),
		.cause_code = cause->code,
		.cause_message = cause->message,
		.due_in_ms = held_ms,
		.took_ms = a->took_ms,
	};
}

/* `*ret_ms`: for how long no row of the owner is claimed; 0: nobody is charged. */
static int charge(struct db *db, const char *owner, uint64_t *ret_ms, struct err *e)
{
	*ret_ms = 0;
	if (!parse_is_uuid(owner))
		return 0;
	if (shard_charge(db, owner, ret_ms, e) == 0 || e->kind == ERR_NOT_FOUND)
		return 0;
	return -1;
}

static int give_back(struct db *db, const struct shard_leases *leases, const char *except,
		     struct err *e)
{
	CLEANUP(cleanup_free) struct queue_lease *given = mem_calloc(leases->count, sizeof(*given));
	size_t count = 0;

	for (size_t i = 0; i < leases->count; i++) {
		if (strcmp(leases->items[i].user_id, except) == 0)
			continue;
		given[count++] = (struct queue_lease) {
			.id = leases->items[i].id,
			.epoch = leases->items[i].lease_epoch,
		};
	}
	return count > 0 ? queue_release(db, given, count, e) : 0;
}

static int record_stall(struct db *db, const struct shard_leases *leases, const struct aftermath *a,
			uint64_t held_ms, struct err *e)
{
	CLEANUP(cleanup_free)
	struct queue_result *results = mem_calloc(leases->count, sizeof(*results));
	struct err cause;
	size_t count = 0;

	err_set(&cause, ERR_KUBE_TIMEOUT, "KUBE_STALLED",
		"%s while it worked with this API server: nothing is asked of it for %llu seconds",
		a->what, (unsigned long long)(held_ms / 1000));
	for (size_t i = 0; i < leases->count; i++) {
		if (strcmp(leases->items[i].user_id, a->owner) == 0)
			results[count++] = stalled_result(&leases->items[i], a, held_ms, &cause);
	}
	return count > 0 ? queue_record(db, results, count, NULL, e) : 0;
}

int aftermath(struct db *db, const struct aftermath *a, struct err *e)
{
	CLEANUP(shard_leases_clear) struct shard_leases leases = { 0 };
	uint64_t held_ms;

	if (charge(db, a->owner, &held_ms, e) < 0 ||
	    shard_find_leases(db, a->worker, &leases, e) < 0 ||
	    give_back(db, &leases, held_ms > 0 ? a->owner : "", e) < 0)
		return -1;
	log_line(LOG_LEVEL_ERROR, "a shard's process was lost", LOG_STR("worker", a->worker),
		 LOG_STR("what", a->what), LOG_STR("user", a->owner), LOG_INT("rows", leases.count),
		 LOG_INT("held_ms", held_ms));
	return held_ms > 0 ? record_stall(db, &leases, a, held_ms, e) : 0;
}
