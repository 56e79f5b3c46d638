#include "reconcile/compare.h"

#include "base/cleanup.h"
#include "manifest/manifest.h"
#include "reconcile/accept.h"
#include "reconcile/obstacle.h"
#include "reconcile/restarts.h"
#include "reconcile/volume.h"

/* The one that carries the hash; NULL: it is not there. */
static const json_t *live_last(const struct queue_row *row, const struct observation *o)
{
	enum kube_resource kind =
		row->kind == RESOURCE_DATABASE ? KUBE_CLUSTERS : KUBE_STATEFULSETS;

	return observation_object(o, kind, row->id, row->name);
}

int compare_wanted(const struct wanted_context *context, const struct queue_row *row,
		   const struct queue_variables *variables, const struct observation *o,
		   json_t **ret_objects, struct err *e)
{
	const json_t *live = live_last(row, o);
	const char *vouched = assess_needs_applied(row) ? "" : manifest_hash(live);

	if (wanted_objects(context, row, variables, vouched, ret_objects, e) < 0)
		return -1;
	manifest_keep_immutable(json_array_get(*ret_objects, json_array_size(*ret_objects) - 1),
				live);
	return 0;
}

/* Whether admission has taken the hash from the last one, so that it cannot tell. */
static int hides_hash(const struct wanted_context *context, const struct queue_row *row,
		      const struct queue_variables *variables, const struct observation *o,
		      const json_t *observed, bool *ret_hidden, struct err *e)
{
	const json_t *live = live_last(row, o);
	json_auto_t *wanted = NULL;

	*ret_hidden = false;
	if (live == NULL || json_object_get(observed, "accepted") == NULL)
		return 0;
	if (compare_wanted(context, row, variables, o, &wanted, e) < 0)
		return -1;
	*ret_hidden = accept_is_known(observed, live,
				      json_array_get(wanted, json_array_size(wanted) - 1));
	return 0;
}

int compare_row(const struct wanted_context *context, const struct queue_row *row,
		const struct queue_variables *variables, const struct observation *o,
		struct assessment *ret_assessment, struct err *e)
{
	json_auto_t *wanted = NULL;
	json_auto_t *observed = row->observed != NULL ? json_loads(row->observed, 0, NULL) : NULL;
	char hash[MANIFEST_HASH_SIZE] = "";
	bool hidden = false;

	if (row->desired != DESIRED_GONE && wanted_hash(context, row, variables, hash, e) < 0)
		return -1;
	struct assessment a = assess(row, hash, o);
	if (a.seen == SEEN_OUTDATED &&
	    hides_hash(context, row, variables, o, observed, &hidden, e) < 0)
		return -1;
	if (hidden)
		a = assess(row, manifest_hash(live_last(row, o)), o);
	if (a.seen == SEEN_READY && !assess_lacks_database(row)) {
		if (compare_wanted(context, row, variables, o, &wanted, e) < 0)
			return -1;
		if (assess_drift(row, wanted, o, observed))
			a.seen = SEEN_OUTDATED;
	}
	restarts_judge(observed, row, o, &a);
	assess_database_first(row, &a);
	volume_find(observed, row, o, &a);
	if (volume_matters(row, o, &a)) {
		if (wanted == NULL && compare_wanted(context, row, variables, o, &wanted, e) < 0)
			return -1;
		volume_judge(observed, row, json_array_get(wanted, json_array_size(wanted) - 1), o,
			     &a);
	}
	a.has_obstacle = obstacle_find(row, o, &a.obstacle);
	*ret_assessment = a;
	return 0;
}
