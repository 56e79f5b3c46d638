#ifndef FSA_RECONCILE_WORK_H
#define FSA_RECONCILE_WORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kube/client.h"
#include "reconcile/observe.h"
#include "reconcile/desired.h"
#include "store/queue.h"

/*
 * The work on one claimed row: from what was observed to a result that can be recorded.
 *
 *     observed → assessed → (prepared) → decided → (diagnosed) → acted → result
 *
 * Each arrow is a wave of requests that are in flight together with those of all other rows;
 * nobody waits for another row. A step that could outlive the lease is not begun: the work then
 * ends without a result and the row is given back.
 */
struct work;

struct work_context {
	struct kube_client *client;
	const struct desired_context *desired;
	uint64_t request_timeout_ms;
	uint64_t resync_ms;
	unsigned unschedulable_s;            /* may a pod wait for a node */
	void (*finished)(struct work *work); /* it is over */
	void *user;                          /* for finished() */
};

/* Of `row` a copy is made, of what its strings point to none: both row and variables must outlive
 * the work. */
struct work *work_new(const struct work_context *context, const struct queue_row *row,
		      const struct queue_variables *variables, uint64_t lease_ends_ms);
void work_free(struct work *work);

/* The work cannot even be begun: no access, or a secret that cannot be opened. */
void work_fail(struct work *work, const struct err *e);
/* A row that is made for the first time and waits for another need not be observed: true if that
 * was all. */
bool work_finish_blocked(struct work *work);
/* What its observation must have, and of whom. */
unsigned work_lists(const struct work *work);
struct observe_subject work_subject(const struct work *work);
/* Goes on with what was observed. `observation` must outlive the work. */
void work_observed(struct work *work, struct kube_target *target, struct observation *observation);

/* After `finished`: the result, borrowed; NULL if the row is to be given back as it is. */
const struct queue_result *work_result(const struct work *work);
const struct queue_row *work_row(const struct work *work);

#endif
