#include "reconcile/compare.h"

#include "base/cleanup.h"
#include "manifest/manifest.h"
#include "reconcile/obstacle.h"

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

int compare_row(const struct wanted_context *context, const struct queue_row *row,
		const struct queue_variables *variables, const struct observation *o,
		struct assessment *ret_assessment, struct err *e)
{
	json_auto_t *wanted = NULL;
	char hash[MANIFEST_HASH_SIZE] = "";

	if (row->desired != DESIRED_GONE && wanted_hash(context, row, variables, hash, e) < 0)
		return -1;
	struct assessment a = assess(row, hash, o);
	if (a.seen == SEEN_READY && !assess_lacks_database(row)) {
		if (compare_wanted(context, row, variables, o, &wanted, e) < 0)
			return -1;
		if (assess_drift(row, wanted, o))
			a.seen = SEEN_OUTDATED;
	}
	assess_database_first(row, &a);
	a.has_obstacle = obstacle_find(row, o, &a.obstacle);
	*ret_assessment = a;
	return 0;
}
