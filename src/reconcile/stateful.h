#ifndef FSA_RECONCILE_STATEFUL_H
#define FSA_RECONCILE_STATEFUL_H

#include "reconcile/assess.h"

/* For kinds whose anchor is a StatefulSet of one pod: kind.assess, once the stage is set, and
 * kind.would_end_pod. */
void stateful_assess(const struct view *v, const char *desired_hash, struct assessment *a);
bool stateful_would_end_pod(const struct view *v, const json_t *desired,
			    const struct assessment *a);

#endif
