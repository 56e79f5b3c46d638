#include "reconcile/stateful.h"

#include <string.h>

#include "base/json_at.h"
#include "reconcile/diagnose.h"
#include "reconcile/expect.h"
#include "reconcile/kind.h"
#include "reconcile/live.h"

static bool is_rolled_out(const json_t *set)
{
	const json_t *status = json_object_get(set, "status");

	return json_number_at(status, "readyReplicas") >= 1 &&
	       json_number_at(status, "updatedReplicas") >= 1 &&
	       strcmp(json_text_at(status, "currentRevision"),
		      json_text_at(status, "updateRevision")) == 0;
}

/* How long a pod may be missing after a change of its set, how long making a container (and its
 * volume) may take after its pod has a node, and how long probes may fail after its start, before
 * events are read for the cause. */
enum { POD_EXPECTED_MS = 5000, CONTAINER_EXPECTED_MS = 15000, PROBES_EXPECTED_MS = 60000 };

static bool is_late(const struct view *v, const json_t *set, const json_t *pod)
{
	if (pod == NULL)
		return expect_age_ms(v, expect_applied_at(set)) > POD_EXPECTED_MS;
	if (live_pod_runs(pod))
		return expect_age_ms(v, live_pod_started(pod)) > PROBES_EXPECTED_MS;
	return expect_age_ms(v, live_pod_scheduled(pod)) > CONTAINER_EXPECTED_MS;
}

static void assess_pod(const struct view *v, const json_t *set, const json_t *pod,
		       struct assessment *a)
{
	bool late = is_late(v, set, pod);

	a->observed = OBSERVED_PROGRESSING;
	if (pod == NULL) {
		if (late)
			a->observed = OBSERVED_BROKEN;
		return;
	}
	a->has_cause =
		diagnose_pod(pod, &a->cause)
			? late || !diagnose_awaits_volumes(&a->cause)
			: !late && v->row->has_cause && diagnose_restarted_pod(pod, &a->cause);
	if (a->has_cause || late)
		a->observed = OBSERVED_BROKEN;
}

static void assess_rollout(const struct view *v, const json_t *set, const json_t *pod,
			   struct assessment *a)
{
	if (!live_is_observed(set)) {
		a->observed = OBSERVED_PROGRESSING;
		return;
	}
	if (is_rolled_out(set)) {
		a->observed = OBSERVED_READY;
		a->stage = STAGE_READY;
		return;
	}
	const char *revision = json_text(
		json_object_get(json_at(pod, "metadata.labels"), "controller-revision-hash"));
	bool outdated = strcmp(revision, json_text_at(set, "status.updateRevision")) != 0;
	if (pod != NULL && outdated && !live_pod_has(pod, "Ready")) {
		a->observed = OBSERVED_PROGRESSING;
		a->stuck_pod = pod;
		return;
	}
	assess_pod(v, set, pod, a);
}

/* Assesses a StatefulSet without replicas that should have one. */
static void assess_start(const struct view *v, struct assessment *a)
{
	a->observed = v->kind->lacks_dependency(v->row) ? OBSERVED_BLOCKED : OBSERVED_STOPPED;
}

/* Assesses a StatefulSet without replicas that should have none. */
static void assess_stop(const json_t *set, const json_t *pods, const char *desired_hash,
			struct assessment *a)
{
	bool empty = live_is_observed(set) && json_array_size(pods) == 0 &&
		     json_number_at(set, "status.replicas") == 0;

	if (!empty)
		a->observed = OBSERVED_PROGRESSING;
	else
		a->observed = strcmp(manifest_hash(set), desired_hash) == 0 ? OBSERVED_STOPPED
									    : OBSERVED_STALE;
}

static void assess_absent(const struct view *v, const json_t *pods, struct assessment *a)
{
	if (v->row->desired == DESIRED_STOPPED && json_array_size(pods) > 0)
		a->observed = OBSERVED_PROGRESSING;
	else if (v->kind->lacks_dependency(v->row))
		a->observed = OBSERVED_BLOCKED;
}

static const json_t *stateful_set(const struct view *v)
{
	return observation_object(v->observation, KUBE_STATEFULSETS, v->row->id, v->row->name);
}

void stateful_assess(const struct view *v, const char *desired_hash, struct assessment *a)
{
	const json_t *set = stateful_set(v);
	const json_t *pods = observation_of(v->observation, KUBE_PODS, v->row->id);
	/* Without its dependency, the desired state is not known: the row stays as it is. */
	bool as_desired =
		strcmp(manifest_hash(set), desired_hash) == 0 || v->kind->lacks_dependency(v->row);

	if (set == NULL)
		assess_absent(v, pods, a);
	else if (live_is_deleting(set))
		a->observed = OBSERVED_DELETING;
	else if (json_number_at(set, "spec.replicas") == 0 && v->row->desired == DESIRED_STOPPED)
		assess_stop(set, pods, desired_hash, a);
	else if (json_number_at(set, "spec.replicas") == 0)
		assess_start(v, a);
	else if (v->row->desired == DESIRED_STOPPED || !as_desired)
		a->observed = OBSERVED_OUTDATED;
	else
		assess_rollout(v, set, live_current(pods), a);
}

bool stateful_would_end_pod(const struct view *v, const json_t *desired, const struct assessment *a)
{
	const json_t *set =
		observation_object(v->observation, KUBE_STATEFULSETS, v->row->id, v->row->name);

	if (live_current(observation_of(v->observation, KUBE_PODS, v->row->id)) == NULL)
		return false;
	if (a->stuck_pod != NULL)
		return true;
	return a->observed == OBSERVED_OUTDATED &&
	       (json_number_at(desired, "spec.replicas") == 0 ||
		!manifest_covers(json_at(set, "spec.template"), json_at(desired, "spec.template")));
}
