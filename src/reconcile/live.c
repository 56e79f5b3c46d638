#include "reconcile/live.h"

#include <string.h>

#include "base/json_at.h"

bool live_is_deleting(const json_t *object)
{
	return json_at(object, "metadata.deletionTimestamp") != NULL;
}

bool live_is_observed(const json_t *object)
{
	return json_number_at(object, "status.observedGeneration") >=
	       json_number_at(object, "metadata.generation");
}

const json_t *live_current(const json_t *objects)
{
	size_t i;
	json_t *object;

	json_array_foreach(objects, i, object)
	{
		if (!live_is_deleting(object))
			return object;
	}
	return NULL;
}

/* Returns NULL if there is no condition of this type. */
static const json_t *condition_of(const json_t *pod, const char *type)
{
	size_t i;
	json_t *condition;

	json_array_foreach(json_at(pod, "status.conditions"), i, condition)
	{
		if (strcmp(json_text_at(condition, "type"), type) == 0)
			return condition;
	}
	return NULL;
}

bool live_pod_has(const json_t *pod, const char *type)
{
	return strcmp(json_text_at(condition_of(pod, type), "status"), "True") == 0;
}

bool live_pod_runs(const json_t *pod)
{
	size_t i;
	json_t *status;

	json_array_foreach(json_at(pod, "status.containerStatuses"), i, status)
	{
		if (json_at(status, "state.running") == NULL)
			return false;
	}
	return i > 0;
}

const char *live_pod_scheduled(const json_t *pod)
{
	return live_pod_has(pod, "PodScheduled")
		       ? json_text_at(condition_of(pod, "PodScheduled"), "lastTransitionTime")
		       : json_text_at(pod, "metadata.creationTimestamp");
}

const char *live_pod_started(const json_t *pod)
{
	const char *last = "";
	size_t i;
	json_t *status;

	json_array_foreach(json_at(pod, "status.containerStatuses"), i, status)
	{
		const char *started = json_text_at(status, "state.running.startedAt");
		if (strcmp(started, last) > 0)
			last = started;
	}
	return last;
}
