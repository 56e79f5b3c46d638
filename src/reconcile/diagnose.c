#include "reconcile/diagnose.h"

#include <stdlib.h>
#include <string.h>

#include "base/json_at.h"
#include "base/cleanup.h"

#define CRASH_LOOP "CrashLoopBackOff"
#define ENDS_AGAIN "the container ends again and again"

/* Reasons of waiting containers, and what they mean. */
struct reason {
	const char *reason;
	enum err_kind kind;
	const char *advice; /* for the owner */
};

static const struct reason waiting_reasons[] = {
	{ "ImagePullBackOff", ERR_POD_IMAGE, "the image cannot be pulled" },
	{ "ErrImagePull", ERR_POD_IMAGE, "the image cannot be pulled" },
	{ "ErrImageNeverPull", ERR_POD_IMAGE, "the image is not on the node" },
	{ "InvalidImageName", ERR_POD_IMAGE, "the image's name is not valid" },
	{ "RegistryUnavailable", ERR_POD_IMAGE, "the image registry does not answer" },
	{ CRASH_LOOP, ERR_POD_CRASH, ENDS_AGAIN },
	{ "CreateContainerConfigError", ERR_POD_REFUSED, "the container cannot be configured" },
	{ "CreateContainerError", ERR_POD_REFUSED, "the container cannot be created" },
	{ "RunContainerError", ERR_POD_CRASH, "the container cannot be started" },
};

/* In the order of a pod's start. Once a step has succeeded, failures of earlier steps are over,
 * because its event is newer. */
static const struct event_reason {
	const char *reason;
	enum err_kind kind;
	const char *advice; /* NULL: a step that succeeded */
} event_reasons[] = {
	{ "FailedBinding", ERR_POD_MOUNT, "a volume claim cannot be bound" },
	{ "ProvisioningFailed", ERR_POD_MOUNT, "a volume cannot be provisioned" },
	{ "FailedCreate", ERR_POD_REFUSED, "the pod cannot be created" },
	{ "SuccessfulCreate", 0, NULL },
	{ "FailedScheduling", ERR_POD_UNSCHEDULABLE, "no node can take the pod" },
	{ "Scheduled", 0, NULL },
	{ "FailedAttachVolume", ERR_POD_MOUNT, "a volume cannot be attached" },
	{ "SuccessfulAttachVolume", 0, NULL },
	{ "FailedMount", ERR_POD_MOUNT, "a volume cannot be mounted" },
	{ "FailedMapVolume", ERR_POD_MOUNT, "a volume cannot be mapped" },
	{ "FailedCreatePodSandBox", ERR_POD_REFUSED, "the pod's network cannot be set up" },
	{ "Pulling", 0, NULL },
	{ "Pulled", 0, NULL },
	{ "Created", 0, NULL },
	{ "Started", 0, NULL },
	{ "Unhealthy", ERR_POD_UNREADY, "the terminal does not answer" },
	{ "NodeNotReady", ERR_POD_UNREADY, "the pod's node is not ready" },
	{ "Evicted", ERR_POD_CRASH, "the pod was evicted" },
};

static const struct reason *find_reason(const struct reason *table, size_t count, const char *name)
{
	for (size_t i = 0; name != NULL && i < count; i++) {
		if (strcmp(table[i].reason, name) == 0)
			return &table[i];
	}
	return NULL;
}

/* The code for clients is the cluster's own reason. */
static void set_cause(struct err *ret_cause, enum err_kind kind, const char *reason,
		      const char *advice, const char *message)
{
	err_set(ret_cause, kind, reason, "%s%s%.380s", advice, message[0] != '\0' ? ": " : "",
		message);
}

static void set_restarted(const json_t *status, const char *reason, const char *advice,
			  struct err *ret_cause)
{
	const json_t *last = json_at(status, "lastState.terminated");

	err_set(ret_cause, ERR_POD_CRASH, reason,
		"%s: it last ended with exit code %lld (%.60s) after %lld restarts", advice,
		(long long)json_number_at(last, "exitCode"), json_text_at(last, "reason"),
		(long long)json_number_at(status, "restartCount"));
}

static bool diagnose_container(const json_t *status, struct err *ret_cause)
{
	const json_t *waiting = json_at(status, "state.waiting");
	const char *name = json_text_at(waiting, "reason");
	const struct reason *reason =
		find_reason(waiting_reasons, ARRAY_SIZE(waiting_reasons), name);

	if (reason == NULL)
		return false;
	if (reason->kind == ERR_POD_CRASH && json_at(status, "lastState.terminated") != NULL) {
		set_restarted(status, name, reason->advice, ret_cause);
		return true;
	}
	set_cause(ret_cause, reason->kind, name, reason->advice, json_text_at(waiting, "message"));
	return true;
}

static bool diagnose_containers(const json_t *statuses, struct err *ret_cause)
{
	size_t i;
	json_t *status;

	json_array_foreach(statuses, i, status)
	{
		if (diagnose_container(status, ret_cause))
			return true;
	}
	return false;
}

static bool diagnose_scheduling(const json_t *conditions, struct err *ret_cause)
{
	size_t i;
	json_t *condition;

	json_array_foreach(conditions, i, condition)
	{
		if (strcmp(json_text_at(condition, "type"), "PodScheduled") == 0 &&
		    strcmp(json_text_at(condition, "status"), "False") == 0 &&
		    strcmp(json_text_at(condition, "reason"), "Unschedulable") == 0) {
			set_cause(ret_cause, ERR_POD_UNSCHEDULABLE, "Unschedulable",
				  "no node can take the pod", json_text_at(condition, "message"));
			return true;
		}
	}
	return false;
}

bool diagnose_pod(const json_t *pod, struct err *ret_cause)
{
	const json_t *status = json_object_get(pod, "status");

	if (diagnose_containers(json_object_get(status, "initContainerStatuses"), ret_cause) ||
	    diagnose_containers(json_object_get(status, "containerStatuses"), ret_cause) ||
	    diagnose_scheduling(json_object_get(status, "conditions"), ret_cause))
		return true;
	if (strcmp(json_text_at(status, "phase"), "Failed") == 0) {
		const char *reason = json_text_at(status, "reason");
		set_cause(ret_cause, ERR_POD_CRASH, reason[0] != '\0' ? reason : "Failed",
			  "the pod failed", json_text_at(status, "message"));
		return true;
	}
	return false;
}

bool diagnose_restarted_pod(const json_t *pod, struct err *ret_cause)
{
	size_t i;
	json_t *status;

	json_array_foreach(json_at(pod, "status.containerStatuses"), i, status)
	{
		if (!json_is_true(json_object_get(status, "ready")) &&
		    json_at(status, "lastState.terminated") != NULL) {
			set_restarted(status, CRASH_LOOP, ENDS_AGAIN, ret_cause);
			return true;
		}
	}
	return false;
}

bool diagnose_awaits_volumes(const struct err *cause)
{
	return cause->kind == ERR_POD_UNSCHEDULABLE &&
	       strstr(cause->message, "unbound immediate PersistentVolumeClaims") != NULL;
}

/* RFC 3339 in UTC sorts as text, to the second; a series has its last time in another member. */
static const char *event_time(const json_t *event)
{
	const char *observed = json_text_at(event, "series.lastObservedTime");

	if (observed[0] != '\0')
		return observed;
	if (json_text_at(event, "lastTimestamp")[0] != '\0')
		return json_text_at(event, "lastTimestamp");
	return json_text_at(event, "eventTime");
}

static int compare_times(const char *a, const char *b)
{
	return strncmp(a, b, strlen("2026-01-01T00:00:00"));
}

static const char *event_uid(const json_t *event)
{
	return json_text_at(event, "involvedObject.uid");
}

/* Returns the event's row; NULL if it says nothing, or nothing about the present. */
static const struct event_reason *event_reason(const json_t *event, const json_t *since)
{
	const char *from = json_string_value(json_object_get(since, event_uid(event)));

	/* An event of the same second may be from before. What persists is reported again. */
	if (from == NULL || (from[0] != '\0' && compare_times(event_time(event), from) <= 0))
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(event_reasons); i++) {
		const struct event_reason *row = &event_reasons[i];
		bool warns = strcmp(json_text_at(event, "type"), "Warning") == 0;
		if (strcmp(row->reason, json_text_at(event, "reason")) == 0)
			return warns == (row->advice != NULL) ? row : NULL;
	}
	return NULL;
}

/* Whether the same object has completed a later step since. */
static bool is_over(const json_t *events, const json_t *since, const json_t *event,
		    const struct event_reason *reason)
{
	size_t i;
	json_t *other;

	json_array_foreach(events, i, other)
	{
		const struct event_reason *step = event_reason(other, since);
		if (step != NULL && step->advice == NULL && step > reason &&
		    strcmp(event_uid(other), event_uid(event)) == 0 &&
		    compare_times(event_time(other), event_time(event)) >= 0)
			return true;
	}
	return false;
}

/* Pods are mostly refused because of a quota, and the owner can act on that. */
static enum err_kind refine(enum err_kind kind, const char *message)
{
	if (kind != ERR_POD_REFUSED)
		return kind;
	if (strstr(message, "exceeded quota") != NULL ||
	    strstr(message, "maximum cpu usage") != NULL ||
	    strstr(message, "maximum memory usage") != NULL)
		return ERR_KUBE_QUOTA;
	if (strstr(message, "40001:") != NULL)
		return ERR_KUBE_BILLING;
	return kind;
}

bool diagnose_events(const json_t *events, const json_t *since, bool probes_count,
		     struct err *ret_cause)
{
	const json_t *newest = NULL;
	const struct event_reason *newest_reason = NULL;
	size_t i;
	json_t *event;

	json_array_foreach(events, i, event)
	{
		const struct event_reason *reason = event_reason(event, since);
		if (reason == NULL || reason->advice == NULL ||
		    (!probes_count && reason->kind == ERR_POD_UNREADY) ||
		    is_over(events, since, event, reason))
			continue;
		if (newest == NULL || compare_times(event_time(event), event_time(newest)) >= 0) {
			newest = event;
			newest_reason = reason;
		}
	}
	if (newest == NULL)
		return false;
	const char *message = json_text_at(newest, "message");
	set_cause(ret_cause, refine(newest_reason->kind, message), newest_reason->reason,
		  newest_reason->advice, message);
	return true;
}

static const struct autoscaler_reason {
	const char *reason;
	bool adds;
	const char *words;
} autoscaler_reasons[] = {
	{ "TriggeredScaleUp", true, "a node is being added" },
	{ "Nominated", true, "a node is being added" },
	{ "NotTriggerScaleUp", false, "no node will be added" },
};

static const struct autoscaler_reason *autoscaler_reason(const json_t *event, const json_t *since)
{
	if (json_object_get(since, event_uid(event)) == NULL)
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(autoscaler_reasons); i++) {
		if (strcmp(autoscaler_reasons[i].reason, json_text_at(event, "reason")) == 0)
			return &autoscaler_reasons[i];
	}
	return NULL;
}

bool diagnose_autoscaler(const json_t *events, const json_t *since, struct err *cause)
{
	const struct autoscaler_reason *last = NULL;
	const char *last_time = "";
	size_t i;
	json_t *event;

	json_array_foreach(events, i, event)
	{
		const struct autoscaler_reason *reason = autoscaler_reason(event, since);
		if (reason == NULL || compare_times(event_time(event), last_time) < 0)
			continue;
		last = reason;
		last_time = event_time(event);
	}
	if (last == NULL)
		return false;
	err_set(cause, cause->kind, last->reason, "%s: %.400s", last->words, cause->message);
	return last->adds;
}

/* KubeBlocks gives the reason in the first condition that is not true. */
static const char *cluster_message(const json_t *status)
{
	size_t i;
	json_t *condition;

	json_array_foreach(json_object_get(status, "conditions"), i, condition)
	{
		if (strcmp(json_text_at(condition, "status"), "False") == 0 &&
		    json_text_at(condition, "message")[0] != '\0')
			return json_text_at(condition, "message");
	}
	return json_text_at(status, "message");
}

bool diagnose_cluster(const json_t *cluster, struct err *ret_cause)
{
	const json_t *status = json_object_get(cluster, "status");
	const char *phase = json_text_at(status, "phase");

	if (strcmp(phase, "Failed") == 0 || strcmp(phase, "Abnormal") == 0) {
		set_cause(ret_cause, ERR_DATABASE_FAILED, phase,
			  "the database cluster is in trouble", cluster_message(status));
		return true;
	}
	/* Without a phase but with a refusal nothing more will happen, for example because the
	 * definition is missing. */
	if (phase[0] == '\0' && cluster_message(status)[0] != '\0') {
		set_cause(ret_cause, ERR_DATABASE_FAILED, "ProvisioningFailed",
			  "the database cluster cannot be made", cluster_message(status));
		return true;
	}
	return false;
}
