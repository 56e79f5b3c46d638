#include "reconcile/restarts.h"

#include <string.h>

#include "base/json_at.h"

/* The pod that is not on its way out; NULL: there is none. */
static const json_t *current_pod(const struct queue_row *row, const struct observation *o)
{
	size_t i;
	json_t *pod;

	json_array_foreach(observation_of(o, KUBE_PODS, row->id), i, pod)
	{
		if (json_at(pod, "metadata.deletionTimestamp") == NULL)
			return pod;
	}
	return NULL;
}

static const json_t *container_of(const json_t *pod)
{
	return json_at(pod, "status.containerStatuses.0");
}

static json_int_t count_of(const json_t *pod)
{
	return json_number_at(container_of(pod), "restartCount");
}

/* Since the last look, of the same pod. */
static bool has_gone_up(const json_t *observed, const json_t *pod)
{
	const json_t *known = json_object_get(observed, "restarts");

	return strcmp(json_text_at(known, "pod"), json_text_at(pod, "metadata.uid")) == 0 &&
	       count_of(pod) > json_number_at(known, "count");
}

static json_int_t looks(const json_t *observed)
{
	return json_number_at(observed, "restarts.looks");
}

void restarts_note(json_t *observed, const struct queue_row *row, const struct observation *o)
{
	const json_t *pod = row->kind == RESOURCE_SANDBOX ? current_pod(row, o) : NULL;

	if (pod == NULL) {
		json_object_del(observed, "restarts");
		return;
	}
	json_int_t in_a_row = has_gone_up(observed, pod) ? looks(observed) + 1 : 0;
	json_object_set_new(observed, "restarts",
			    json_pack("{s:s, s:I, s:I}", "pod", json_text_at(pod, "metadata.uid"),
				      "count", count_of(pod), "looks", in_a_row));
}

void restarts_judge(const json_t *observed, const struct queue_row *row,
		    const struct observation *o, struct assessment *a)
{
	const json_t *pod = row->kind == RESOURCE_SANDBOX ? current_pod(row, o) : NULL;
	const json_t *last = json_at(container_of(pod), "lastState.terminated");

	if (a->seen != SEEN_READY || pod == NULL || !has_gone_up(observed, pod))
		return;
	a->seen = SEEN_RESTARTED;
	if (looks(observed) == 0)
		return;
	a->seen = SEEN_BROKEN;
	a->has_cause = true;
	err_set(&a->cause, ERR_POD_CRASH, "Restarts",
		"the container ends again and again: it last ended with exit code %lld (%.60s) "
		"after "
		"%lld restarts",
		(long long)json_number_at(last, "exitCode"), json_text_at(last, "reason"),
		(long long)count_of(pod));
}
