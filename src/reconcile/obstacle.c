#include "reconcile/obstacle.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/json_at.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "reconcile/expect.h"

/* How long a deletion may take beyond a pod's grace period, which is read from the cluster and
 * limited. */
enum { EXPECTED_MS = 10000, GRACE_MAX_S = 600, FINALIZERS_MAX = 200 };

static json_int_t grace_s(const json_t *object)
{
	json_int_t grace = json_number_at(object, "metadata.deletionGracePeriodSeconds");

	return grace < 0 ? 0 : grace > GRACE_MAX_S ? GRACE_MAX_S : grace;
}

/* A deletionTimestamp is the end of the grace period. */
static const char *deleted_since(const json_t *object, char ret_time[32])
{
	const char *ends = json_text_at(object, "metadata.deletionTimestamp");
	struct tm tm = { 0 };

	if (strptime(ends, "%Y-%m-%dT%H:%M:%SZ", &tm) == NULL)
		return "an unknown time";
	time_t since = timegm(&tm) - (time_t)grace_s(object);
	if (gmtime_r(&since, &tm) == NULL || strftime(ret_time, 32, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		return "an unknown time";
	return ret_time;
}

static bool is_late(const struct view *v, const json_t *object)
{
	char since[32];

	return json_at(object, "metadata.deletionTimestamp") != NULL &&
	       expect_age_ms(v, deleted_since(object, since)) >
		       EXPECTED_MS + 1000 * (uint64_t)grace_s(object);
}

static void join_finalizers(const json_t *object, struct buf *ret_list)
{
	size_t i;
	json_t *finalizer;

	json_array_foreach(json_at(object, "metadata.finalizers"), i, finalizer)
	{
		const char *name = json_text(finalizer);
		(void)buf_append(ret_list, ", ", i > 0 ? 2 : 0, NULL);
		(void)buf_append(ret_list, name, strlen(name), NULL);
	}
}

static void set_cause(enum kube_resource kind, const json_t *object, struct err *ret_cause)
{
	CLEANUP(buf_release) struct buf finalizers = BUF_INIT(FINALIZERS_MAX);
	const char *name = json_text_at(object, "metadata.name");
	const char *node = json_text_at(object, "spec.nodeName");
	char since[32];

	join_finalizers(object, &finalizers);
	if (finalizers.length > 0)
		err_set(ret_cause, ERR_OBJECT_HELD, NULL,
			"%s %.120s is being deleted since %s and is held by the finalizer %s",
			kube_resource_kind(kind), name, deleted_since(object, since),
			finalizers.data);
	else
		err_set(ret_cause, ERR_POD_TERMINATING, NULL,
			"pod %.120s on node %.120s is being deleted since %s and does not end",
			name, node[0] != '\0' ? node : "(none)", deleted_since(object, since));
}

bool obstacle_among(const struct view *v, enum kube_resource kind, const json_t *items,
		    struct err *ret_cause)
{
	size_t i;
	json_t *object;

	json_array_foreach(items, i, object)
	{
		bool held = json_array_size(json_at(object, "metadata.finalizers")) > 0;
		if (is_late(v, object) && (held || kind == KUBE_PODS)) {
			set_cause(kind, object, ret_cause);
			return true;
		}
	}
	return false;
}

/* Pods first, because the others often wait for them. */
bool obstacle_find(const struct view *v, struct err *ret_cause)
{
	const struct observation *o = v->observation;
	const char *id = v->row->id;

	if (obstacle_among(v, KUBE_PODS, observation_of(o, KUBE_PODS, id), ret_cause))
		return true;
	for (unsigned i = 0; i < KUBE_RESOURCE_COUNT; i++) {
		enum kube_resource kind = (enum kube_resource)i;
		if (obstacle_among(v, kind, observation_of(o, kind, id), ret_cause))
			return true;
	}
	return false;
}
