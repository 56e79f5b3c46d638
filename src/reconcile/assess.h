#ifndef FSA_RECONCILE_ASSESS_H
#define FSA_RECONCILE_ASSESS_H

#include <jansson.h>

#include "base/err.h"
#include "domain/types.h"
#include "reconcile/observe.h"
#include "store/queue.h"

/*
 * What a row's objects in the cluster amount to: a pure function of the row, of the hash of what it
 * should have (reconcile/wanted.h) and of an observation. Spec and status are read together: what a
 * controller has not observed yet is not believed.
 */
struct assessment {
	enum seen seen;
	enum stage stage;
	bool has_cause; /* with SEEN_BROKEN (without one only events can tell), SEEN_AT_RISK */
	struct err cause;
	bool volume_gone; /* what it has stored is lost already: see reconcile/volume.h */
	/* A pod of an older revision that is not ready and would hold up the roll-out for ever
	 * ("Forced rollback", StatefulSet documentation). Borrowed; NULL: none. */
	const json_t *stuck_pod;
	/* What keeps it from its goal where nothing else is known to: see reconcile/obstacle.h. */
	bool has_obstacle;
	struct err obstacle;
};

/* Whether all that was applied must be looked at, and not only what tells how far a change is:
 * deletion must see everything go; a stable state is compared as a whole, and so is one that
 * somebody has asked for again. */
bool assess_needs_applied(const struct queue_row *row);
/* Whether it is a sandbox whose project has a database without (valid) credentials: what it should
 * have in the cluster cannot be told. */
bool assess_lacks_database(const struct queue_row *row);
/* Whether a Cluster is to be stopped: by `replicas: 0` up to KubeBlocks 0.9.0, by `stop: true`
 * since.
 */
bool assess_stopped_by_spec(const json_t *cluster);
/* A sandbox that is SEEN_READY is SEEN_BLOCKED while its database is on its way, unless it is told
 * to run already: nothing that was asked for is told to be done before that has been looked at. */
void assess_database_first(const struct queue_row *row, struct assessment *a);
/* What a row's assessment needs to be listed: of which kinds, and of whom. */
unsigned assess_kinds(const struct queue_row *row);
struct observe_subject assess_subject(const struct queue_row *row);

struct assessment assess(const struct queue_row *row, const char *hash,
			 const struct observation *o);
/* Of a row that is SEEN_READY: whether an object that should be there was changed or removed by
 * somebody else, for then it is SEEN_OUTDATED; what was accepted (reconcile/accept.h) is not.
 * `wanted`: its objects, or some of them. Kinds that were not listed, and Secrets (whose content we
 * do not read), count as they are expected to be. */
bool assess_drift(const struct queue_row *row, const json_t *wanted, const struct observation *o,
		  const json_t *observed);

#endif
