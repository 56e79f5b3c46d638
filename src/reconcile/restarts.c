#include "reconcile/restarts.h"

#include <string.h>

#include "base/json_at.h"
#include "reconcile/live.h"

static const json_t *current_pod(const struct view *v)
{
	return live_current(observation_of(v->observation, KUBE_PODS, v->row->id));
}

static const json_t *container_of(const json_t *pod)
{
	return json_at(pod, "status.containerStatuses.0");
}

static json_int_t count_of(const json_t *pod)
{
	return json_number_at(container_of(pod), "restartCount");
}

/* Since the last observation of the same pod. */
static bool has_gone_up(const json_t *kept, const json_t *pod)
{
	const json_t *known = json_object_get(kept, "restarts");

	return strcmp(json_text_at(known, "pod"), json_text_at(pod, "metadata.uid")) == 0 &&
	       count_of(pod) > json_number_at(known, "count");
}

static json_int_t in_a_row(const json_t *kept)
{
	return json_number_at(kept, "restarts.looks");
}

void restarts_note(const struct view *v)
{
	const json_t *pod = current_pod(v);

	if (pod == NULL) {
		json_object_del(v->kept, "restarts");
		return;
	}
	json_int_t times = has_gone_up(v->kept, pod) ? in_a_row(v->kept) + 1 : 0;
	json_object_set_new(v->kept, "restarts",
			    json_pack("{s:s, s:I, s:I}", "pod", json_text_at(pod, "metadata.uid"),
				      "count", count_of(pod), "looks", times));
}

void restarts_judge(const struct view *v, struct assessment *a)
{
	const json_t *pod = current_pod(v);
	const json_t *last = json_at(container_of(pod), "lastState.terminated");

	if (a->observed != OBSERVED_READY || pod == NULL || !has_gone_up(v->kept, pod))
		return;
	a->observed = OBSERVED_RESTARTED;
	if (in_a_row(v->kept) == 0)
		return;
	a->observed = OBSERVED_BROKEN;
	a->has_cause = true;
	err_set(&a->cause, ERR_POD_CRASH, "Restarts",
		"the container ends again and again: it last ended with exit code %lld (%.60s) "
		"after "
		"%lld restarts",
		(long long)json_number_at(last, "exitCode"), json_text_at(last, "reason"),
		(long long)count_of(pod));
}
