#ifndef FSA_RECONCILE_WORK_H
#define FSA_RECONCILE_WORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kube/client.h"
#include "reconcile/observe.h"
#include "reconcile/desired.h"
#include "reconcile/bill.h"
#include "store/queue.h"

/*
 * The work on one claimed row: from the observation to a result that can be recorded.
 *
 *     observed → assessed → (prepared) → decided → (diagnosed) → acted → result
 *
 * Each arrow is a wave of requests, in flight together with those of all other rows; no row waits
 * for another. A step that could outlive the lease is not begun: the work then ends without a
 * result and the row is given back.
 */
struct work;

struct work_context {
	struct kube_client *client;
	const struct desired_context *desired;
	uint64_t request_timeout_ms;
	uint64_t resync_ms;
	unsigned unschedulable_s;            /* how long a pod may wait for a node */
	void (*finished)(struct work *work); /* it is over */
	void *user;                          /* for finished() */
};

/* Copies `row`, but not the strings that it points to: these and the variables must outlive the
 * work. */
struct work *work_new(const struct work_context *context, const struct queue_row *row,
		      const struct queue_variables *variables, uint64_t lease_ends_ms);
void work_free(struct work *work);

/* The work cannot begin: there is no access, or a secret cannot be opened. */
void work_fail(struct work *work, const struct err *e);
/* A row that is created for the first time and waits for another need not be observed: true if the
 * work is over by that. */
bool work_finish_blocked(struct work *work);
/* The lists that its observation needs, and the subject. */
unsigned work_lists(const struct work *work);
struct observe_subject work_subject(const struct work *work);
/* Continues with the observation, which must outlive the work. */
void work_observed(struct work *work, struct kube_target *target, struct observation *observation);

/* After `finished`: the result, borrowed; NULL if the row is to be given back as it is. */
const struct queue_result *work_result(const struct work *work);
/* What its user is charged for. */
enum bill_outcome work_outcome(const struct work *work);
/* For a row that is to be given back: its lease, with the known state of its objects. Borrowed. */
struct queue_lease work_lease(const struct work *work);
const struct queue_row *work_row(const struct work *work);
/* Whether nothing is wrong and the row's anchor will change before long, and the version of the
 * anchor that was observed or applied last; "" if there is none. */
bool work_expects_change(const struct work *work);
const char *work_anchor_version(const struct work *work);

#endif
