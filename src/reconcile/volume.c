#include "reconcile/volume.h"

#include <string.h>

#include "base/json_at.h"
#include "domain/warning.h"
#include "manifest/manifest.h"
#include "reconcile/accept.h"

static bool is_deleting(const json_t *object)
{
	return json_at(object, "metadata.deletionTimestamp") != NULL;
}

/* ---- what there is ----------------------------------------------------------------------------
 */

const json_t *volume_going(const struct queue_row *row, const struct observation *o)
{
	size_t i;
	json_t *claim;

	json_array_foreach(observation_claims(o, row->id), i, claim)
	{
		if (is_deleting(claim))
			return claim;
	}
	return NULL;
}

static const json_t *find_claim(const struct queue_row *row, const struct observation *o,
				const char *name)
{
	size_t i;
	json_t *claim;

	json_array_foreach(observation_claims(o, row->id), i, claim)
	{
		if (strcmp(json_text_at(claim, "metadata.name"), name) == 0)
			return claim;
	}
	return NULL;
}

const char *volume_known(const json_t *observed)
{
	return json_string_value(json_at(observed, "volume.name"));
}

bool volume_is_replaced(const json_t *observed, const struct queue_row *row)
{
	const json_t *generation = json_object_get(observed, "replaced");

	return generation != NULL && json_integer_value(generation) == row->generation;
}

/* Whether the claims were listed at all. */
static bool is_listed(const struct queue_row *row, const struct observation *o)
{
	unsigned list = row->kind == RESOURCE_DATABASE ? OBSERVE_DATABASE_CLAIMS
						       : OBSERVE(KUBE_PERSISTENT_VOLUME_CLAIMS);

	return observation_check(o, list, NULL) == 0;
}

/* The first that is there to stay. */
static const json_t *current_claim(const struct queue_row *row, const struct observation *o)
{
	size_t i;
	json_t *claim;

	json_array_foreach(observation_claims(o, row->id), i, claim)
	{
		if (!is_deleting(claim))
			return claim;
	}
	return NULL;
}

static bool is_another(const json_t *observed, const struct queue_row *row,
		       const struct observation *o)
{
	const char *known = volume_known(observed);
	const json_t *claim = known != NULL ? find_claim(row, o, known) : NULL;

	return claim != NULL && !is_deleting(claim) &&
	       strcmp(json_text_at(claim, "metadata.uid"), json_text_at(observed, "volume.uid")) !=
		       0;
}

void volume_note(json_t *observed, const struct queue_row *row, const struct observation *o)
{
	const json_t *claim = current_claim(row, o);

	if (!is_listed(row, o))
		return;
	if (row->desired == DESIRED_GONE || row->forced)
		json_object_del(observed, "volume");
	if (is_another(observed, row, o))
		json_object_set_new(observed, "replaced", json_integer(row->generation));
	if (!volume_is_replaced(observed, row))
		json_object_del(observed, "replaced");
	if (claim != NULL && row->desired != DESIRED_GONE)
		json_object_set_new(observed, "volume",
				    json_pack("{s:s, s:s}", "name",
					      json_text_at(claim, "metadata.name"), "uid",
					      json_text_at(claim, "metadata.uid")));
}

static bool is_warned(const struct queue_row *row)
{
	enum warning gone = row->kind == RESOURCE_DATABASE ? WARNING_DATABASE_VOLUME_GONE
							   : WARNING_HOME_VOLUME_GONE;

	return row->warnings != NULL && strstr(row->warnings, warning_text(gone)->code) != NULL;
}

/* What was stopped, whatever has become of its StatefulSet or Cluster since. What ran, and was
 * deleted with all that belongs to it, is made again without asking. */
static bool was_stopped(const json_t *observed, const struct queue_row *row,
			const struct assessment *a)
{
	const char *last = json_text_at(observed, "seen");

	if (a->seen == SEEN_STOPPED)
		return true;
	return a->seen == SEEN_ABSENT && (row->desired == DESIRED_STOPPED || is_warned(row) ||
					  strcmp(last, seen_name(SEEN_STOPPED)) == 0);
}

void volume_find(const json_t *observed, const struct queue_row *row, const struct observation *o,
		 struct assessment *a)
{
	a->volume_gone = row->desired != DESIRED_GONE && volume_known(observed) != NULL &&
			 is_listed(row, o) &&
			 json_array_size(observation_claims(o, row->id)) == 0 &&
			 was_stopped(observed, row, a);
}

/* ---- what would lose it -----------------------------------------------------------------------
 */

bool volume_matters(const struct queue_row *row, const struct observation *o,
		    const struct assessment *a)
{
	return row->desired != DESIRED_GONE && !row->forced &&
	       (a->volume_gone || volume_going(row, o) != NULL);
}

static bool has_pod(const json_t *pods)
{
	size_t i;
	json_t *pod;

	json_array_foreach(pods, i, pod)
	{
		if (!is_deleting(pod))
			return true;
	}
	return false;
}

static bool set_would_end_pod(const struct queue_row *row, const json_t *set, const json_t *wanted,
			      const struct observation *o, const struct assessment *a)
{
	if (!has_pod(observation_of(o, KUBE_PODS, row->id)))
		return false;
	if (a->stuck_pod != NULL)
		return true;
	return a->seen == SEEN_OUTDATED &&
	       (json_number_at(wanted, "spec.replicas") == 0 ||
		!manifest_covers(json_at(set, "spec.template"), json_at(wanted, "spec.template")));
}

/* KubeBlocks decides by itself what a change of a Cluster does to its pods. */
static bool would_end_pod(const json_t *observed, const struct queue_row *row, const json_t *wanted,
			  const struct observation *o, const struct assessment *a)
{
	bool database = row->kind == RESOURCE_DATABASE;
	const json_t *live = observation_object(o, database ? KUBE_CLUSTERS : KUBE_STATEFULSETS,
						row->id, row->name);

	if (!database)
		return set_would_end_pod(row, live, wanted, o, a);
	return a->seen == SEEN_OUTDATED && live != NULL && !assess_stopped_by_spec(live) &&
	       !accept_covers(observed, live, wanted) &&
	       !manifest_covers(json_object_get(live, "spec"), json_object_get(wanted, "spec"));
}

static void hold(struct assessment *a, const char *code, const char *claim, const char *why)
{
	a->seen = SEEN_AT_RISK;
	a->stuck_pod = NULL;
	a->has_cause = true;
	err_set(&a->cause, ERR_DATA_AT_RISK, code, "persistentvolumeclaim %.128s %s", claim, why);
}

void volume_judge(const json_t *observed, const struct queue_row *row, const json_t *wanted,
		  const struct observation *o, struct assessment *a)
{
	bool database = row->kind == RESOURCE_DATABASE;
	const json_t *going = volume_going(row, o);

	if (!volume_matters(row, o, a))
		return;
	if (going != NULL && would_end_pod(observed, row, wanted, o, a))
		hold(a, database ? "DATABASE_VOLUME_GOING" : "HOME_VOLUME_GOING",
		     json_text_at(going, "metadata.name"),
		     "is being deleted and goes with the pod");
	else if (a->volume_gone && row->desired == DESIRED_RUNNING)
		hold(a, database ? "DATABASE_VOLUME_GONE" : "HOME_VOLUME_GONE",
		     volume_known(observed), "is gone: a start would begin with an empty volume");
}
