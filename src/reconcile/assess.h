#ifndef FSA_RECONCILE_ASSESS_H
#define FSA_RECONCILE_ASSESS_H

#include <jansson.h>

#include "base/err.h"
#include "domain/types.h"
#include "reconcile/observe.h"
#include "store/queue.h"

/*
 * What a row's objects in the cluster amount to: a pure function of the row, of the objects it
 * should have (`wanted`, from reconcile/wanted.h; the last one is the StatefulSet or Cluster) and
 * of an observation. Spec and status are read together: what a controller has not observed yet is
 * not believed.
 */
struct assessment {
	enum seen seen;
	enum stage stage;
	bool has_cause; /* with SEEN_BROKEN; without one only events can tell */
	struct err cause;
	/* A pod of an older revision that is not ready and would hold up the roll-out for ever
	 * ("Forced rollback", StatefulSet documentation). Borrowed; NULL: none. */
	const json_t *stuck_pod;
};

/* The kinds that a row's assessment needs. */
unsigned assess_kinds(const struct queue_row *row);

struct assessment assess(const struct queue_row *row, const json_t *wanted,
			 const struct observation *o);

#endif
