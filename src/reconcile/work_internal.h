#ifndef FSA_RECONCILE_WORK_INTERNAL_H
#define FSA_RECONCILE_WORK_INTERNAL_H

#include "domain/decide.h"
#include "reconcile/assess.h"
#include "reconcile/credentials.h"
#include "reconcile/evidence.h"
#include "reconcile/work.h"

/* What the files of work.h share. */

/* An apply under way: what was sent, as text, for trees are most of what a row in flight takes. */
struct work_apply {
	struct work *work;
	char *text;
};
enum { WORK_APPLIES_MAX = 12 };

struct work {
	const struct work_context *context;
	struct queue_row row;
	const struct queue_variables *variables;
	uint64_t lease_ends_ms;
	void *user;
	struct kube_target *target;
	struct observation *observation;
	json_t *wanted;
	struct assessment assessment;
	enum seen seen; /* what the decision is about */
	struct decision decision;
	struct credentials credentials;
	struct evidence *evidence;
	struct work_apply applies[WORK_APPLIES_MAX];
	size_t apply_count;
	json_t *warnings;
	json_t *observed; /* what is kept for the next look: "seen", … */

	unsigned pending; /* requests of the current wave */
	void (*next)(struct work *work);
	bool failed; /* a request of the wave did; the first failure counts */
	struct err err;
	json_t *answer; /* of a wave of one request that reads */

	bool has_result;
	struct queue_result result;
};

/* Begins a wave: the requests that follow, then `next`. The caller adds each to `pending` and ends
 * with work_wave_ready(), so that the wave is not over before its last request was submitted.
 * False: the lease would not outlive it, and the work is over. */
bool work_wave_begin(struct work *w, void (*next)(struct work *));
void work_wave_ready(struct work *w);
/* The answer of a request that reads; of one wave there is one. */
void work_read_done(void *user, const struct kube_answer *answer);
/* Part of a wave. */
void work_delete_object(struct work *w, enum kube_resource kind, const json_t *object);

/* Each is the end of a step: decides what was seen, does that, ends the work. */
void work_decide_on(struct work *w, enum seen seen);
void work_act(struct work *w);
void work_decide_and_act(struct work *w);
void work_conclude_failure(struct work *w);
void work_conclude_wave(struct work *w);

/* NULL: it is not there. */
const json_t *work_live_cluster(const struct work *w);

/* Of databases: reads what their Cluster's own objects do not tell, and goes on. */
void work_read_credentials(struct work *w);
void work_read_volumes(struct work *w);
bool work_awaits_pods(const struct work *w);
void work_read_pods(struct work *w);

#endif
