#ifndef FSA_RECONCILE_COMPARE_H
#define FSA_RECONCILE_COMPARE_H

#include <jansson.h>

#include "base/err.h"
#include "reconcile/assess.h"
#include "reconcile/observe.h"
#include "reconcile/wanted.h"
#include "store/queue.h"

/*
 * A row's objects as they are against those that it should have. These are only built when the hash
 * on the last of them (manifest/manifest.h) cannot tell: for what is to be applied, and to find
 * what somebody else has changed where all seems well. ERR_INTERNAL: a secret of the row cannot be
 * opened.
 */

/* What the observation, which must have the row's kinds (assess_kinds()), amounts to. */
int compare_row(const struct wanted_context *context, const struct queue_row *row,
		const struct queue_variables *variables, const struct observation *o,
		struct assessment *ret_assessment, struct err *e);

/* The objects to apply, those among them that are there as wanted included: while something is
 * under way and the hash vouches for the others, the last one alone. What cannot be changed is as
 * in the cluster. The caller json_decref()s. */
int compare_wanted(const struct wanted_context *context, const struct queue_row *row,
		   const struct queue_variables *variables, const struct observation *o,
		   json_t **ret_objects, struct err *e);

#endif
