#ifndef FSA_RECONCILE_WORK_INTERNAL_H
#define FSA_RECONCILE_WORK_INTERNAL_H

#include <sys/queue.h>

#include "domain/decide.h"
#include "reconcile/assess.h"
#include "reconcile/credentials.h"
#include "reconcile/evidence.h"
#include "reconcile/kind.h"
#include "reconcile/work.h"

/* Shared by the files of work.h. */

/* An apply in flight: the object that was sent, as text, because JSON trees are most of the memory
 * of a row in flight. NULL: the anchor, whose tree is kept anyway. */
struct work_apply {
	struct work *work;
	char *text;
};
enum { WORK_APPLIES_MAX = 12 };

struct work {
	const struct work_context *context;
	const struct kind *kind;
	struct queue_row row;
	uint64_t lease_ends_ms;
	struct kube_target *target;
	struct observation *observation;
	struct desired_state *desired;
	json_t *kept; /* as view.kept */
	struct assessment assessment;
	enum observed observed; /* the input of the decision */
	struct decision decision;
	struct credentials credentials;
	struct evidence *evidence;
	struct work_apply applies[WORK_APPLIES_MAX];
	size_t apply_count;
	json_t *anchor; /* while the others are applied */
	char anchor_version[64];
	json_t *warnings;

	/* Of the wave under way: see reconcile/wave.h. */
	unsigned pending;
	void (*next)(struct work *work);
	bool failed; /* a request of it did; the first failure counts */
	bool stale;  /* what kind.prepare() read changes the assessment */
	bool looked, has_result;
	struct err err;
	json_t *answer;        /* to the request that reads; NULL: it failed */
	struct buf log_sealed; /* of a container that crashed: see reconcile/crash.h */

	/* Called at the end of kind.prepare(); `failed` and `err` say whether it could be read. */
	void (*proceed)(struct work *work);
	json_t *leftovers; /* an array: to be deleted, too, though not observed; NULL: none */
	enum kube_resource leftover_type;

	/* What sandboxd says (reconcile/activity.h). */
	uint64_t idle_s;
	char activity[128];

	struct queue_result result; /* if has_result */

	/* The pass's: claim.c, record.c. */
	struct batch *batch;
	struct group *group; /* NULL: never observed */
	uint64_t claimed_ms, took_ms;
	uint64_t aside_ms; /* of this, spent on what does not make the row a slow one */
	struct work *next_in_group;
	TAILQ_ENTRY(work) link; /* in the pass's list of those in flight, or of those finished */
};

static inline struct view work_view(const struct work *w)
{
	return (struct view) { w->kind, &w->row, w->observation, w->kept, w->desired };
}

#endif
