#ifndef FSA_RECONCILE_ASSESS_H
#define FSA_RECONCILE_ASSESS_H

#include <jansson.h>

#include "base/err.h"
#include "domain/types.h"
#include "reconcile/view.h"

/*
 * Assesses a row's objects in the cluster: a pure function of a view. Spec and status are read
 * together: a status is ignored if its controller has not observed the spec yet.
 */
struct assessment {
	enum observed observed;
	enum stage stage;
	bool has_cause; /* with OBSERVED_BROKEN (without one, only events can say why),
			   OBSERVED_AT_RISK */
	struct err cause;
	bool volume_gone; /* its stored data is lost already: see reconcile/volume.h */
	/* A pod of an older revision that is not ready and would hold up the roll-out for ever
	 * ("Forced rollback", StatefulSet documentation). Borrowed; NULL: none. */
	const json_t *stuck_pod;
	/* What keeps it from its goal where nothing else is known to: see reconcile/obstacle.h. */
	bool has_obstacle;
	struct err obstacle;
};

/* What a row's assessment needs to be listed, as OBSERVE(), and of whom. */
unsigned assess_lists(const struct kind *kind, const struct queue_row *row);
struct observe_subject assess_subject(const struct kind *kind, const struct queue_row *row);

/* All of it. The observation must have the row's lists. ERR_INTERNAL: a secret of the row cannot be
 * opened. */
int assess(const struct view *v, struct assessment *ret_assessment, struct err *e);

/*
 * The objects to apply, as desired_state_objects(); while a change is under way and the anchor's
 * hash vouches for the others, or their versions do (reconcile/vouch.h), the anchor alone. The
 * caller json_decref()s.
 */
json_t *assess_desired(const struct view *v);

/* ---- its parts ---- */

/* What the objects amount to by themselves. `hash`: that of the desired state. */
struct assessment assess_objects(const struct view *v, const char *hash);
/* Of a row that is OBSERVED_READY: whether an object that should be there was changed or removed by
 * somebody else; what was accepted (reconcile/accept.h) was not. `desired`: its objects, or some
 * of them. Types that were not listed, and Secrets, whose content we do not read, count as they
 * should be. */
bool assess_drift(const struct view *v, const json_t *desired);
/* OBSERVED_READY becomes OBSERVED_BLOCKED while a dependency of the row is in transition, unless
 * its status is RUNNING already: no request is reported as done before the dependency is ready. */
void assess_dependency(const struct view *v, struct assessment *a);

#endif
