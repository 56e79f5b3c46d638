#include "reconcile/evidence.h"

#include <stdlib.h>
#include <string.h>

#include "base/json_at.h"
#include "base/cleanup.h"
#include "base/mem.h"
#include "manifest/manifest.h"
#include "reconcile/diagnose.h"
#include "reconcile/expect.h"
#include "reconcile/kind.h"

/* Events are read for at most this many objects: a sandbox has three, a database a few more. */
enum { OBJECTS_MAX = 12 };
struct evidence {
	struct view view;
	json_t *since;  /* UID of each present object → the time from which events count */
	json_t *pods;   /* those not being deleted, */
	json_t *sets;   /* the sets that make them, */
	json_t *events; /* and events about these */
	struct evidence_list *lists;
	size_t pending;
	evidence_done_fn *done;
	void *user;
};

/* A list in flight. */
struct evidence_list {
	struct evidence *evidence;
	enum kube_resource kind;
};

/* ---- the objects, and since when events count ------------------------------------------------ */

/* Once a set has a pod, earlier failures to create one are over. */
static const char *set_since(const struct evidence *v, const json_t *set)
{
	const char *since = expect_applied_at(set);
	size_t i;
	json_t *pod;

	json_array_foreach(v->pods, i, pod)
	{
		const char *created = json_text_at(pod, "metadata.creationTimestamp");
		if (strcmp(created, since) > 0)
			since = created;
	}
	return since;
}

static void add_object(struct evidence *v, enum kube_resource kind, json_t *object)
{
	const char *uid = json_text_at(object, "metadata.uid");
	const char *since = "";

	if (uid[0] == '\0' || json_at(object, "metadata.deletionTimestamp") != NULL ||
	    json_object_size(v->since) >= OBJECTS_MAX)
		return;
	if (kind == KUBE_PODS)
		json_array_append(v->pods, object);
	if (kind == KUBE_PERSISTENT_VOLUME_CLAIMS &&
	    strcmp(json_text_at(object, "status.phase"), "Bound") == 0)
		return;
	if (kind == KUBE_STATEFULSETS)
		json_array_append(v->sets, object);
	if (kind == KUBE_CLUSTERS || kind == KUBE_CLUSTERS_V1)
		since = expect_applied_at(object);
	json_object_set_new(v->since, uid, json_string(since));
}

/* Called when all objects are known. */
static void date_sets(struct evidence *v)
{
	size_t i;
	json_t *set;

	json_array_foreach(v->sets, i, set)
	{
		json_object_set_new(v->since, json_text_at(set, "metadata.uid"),
				    json_string(set_since(v, set)));
	}
}

static void add_objects(struct evidence *v, enum kube_resource kind, const json_t *items)
{
	size_t i;
	json_t *object;

	json_array_foreach(items, i, object)
	{
		add_object(v, kind, object);
	}
}

static void add_events(struct evidence *v, const json_t *items)
{
	size_t i;
	json_t *event;

	json_array_foreach(items, i, event)
	{
		json_array_append(v->events, event);
	}
}

/* ---- asking ---------------------------------------------------------------------------------- */

/* The observed objects that events may be about. */
static const enum kube_resource telling[] = { KUBE_PODS, KUBE_STATEFULSETS, KUBE_CLUSTERS,
					      KUBE_CLUSTERS_V1 };

struct evidence *evidence_new(const struct view *view)
{
	struct evidence *v = mem_calloc(1, sizeof(*v));

	v->view = *view;
	v->since = json_object();
	v->pods = json_array();
	v->sets = json_array();
	v->events = json_array();
	for (size_t i = 0; i < ARRAY_SIZE(telling); i++)
		add_objects(v, telling[i],
			    observation_of(view->observation, telling[i], view->row->id));
	return v;
}

void evidence_free(struct evidence *v)
{
	if (v == NULL)
		return;
	json_decref(v->since);
	json_decref(v->pods);
	json_decref(v->sets);
	json_decref(v->events);
	free(v->lists);
	free(v);
}

/* Begins `count` lists; list_done() must be called for each. Returns false if there are none. */
static bool begin(struct evidence *v, size_t count, evidence_done_fn *done, void *user)
{
	free(v->lists);
	v->lists = mem_calloc(count, sizeof(*v->lists));
	v->pending = count;
	v->done = done;
	v->user = user;
	if (count == 0)
		done(user);
	return count > 0;
}

static void list_done(void *user, const struct kube_answer *answer)
{
	const struct evidence_list *list = user;
	struct evidence *v = list->evidence;
	const json_t *items = answer->ok ? json_object_get(answer->body, "items") : NULL;

	if (list->kind == KUBE_EVENTS)
		add_events(v, items);
	else
		add_objects(v, list->kind, items);
	if (--v->pending == 0)
		v->done(v->user);
}

/* The caller frees. */
static char *selector_of(const struct view *v)
{
	return v->kind->by_instance ? mem_printf(OBSERVE_INSTANCE "=%s", v->row->name)
				    : mem_printf(MANIFEST_LABEL_RESOURCE "=%s", v->row->id);
}

void evidence_submit_objects(struct evidence *v, struct kube_client *client,
			     struct kube_target *target, evidence_done_fn *done, void *user)
{
	CLEANUP(cleanup_free) char *selector = selector_of(&v->view);
	unsigned types = v->view.kind->evidence;
	size_t count = 0;

	(void)begin(v, (size_t)__builtin_popcount(types), done, user);
	for (unsigned i = 0; i < KUBE_RESOURCE_COUNT; i++) {
		const enum kube_resource type = (enum kube_resource)i;
		const struct kube_list list = { .resource = type, .label_selector = selector };
		if ((types & OBSERVE(i)) == 0)
			continue;
		v->lists[count] = (struct evidence_list) { v, type };
		kube_submit_list(client, target, &list, list_done, &v->lists[count++]);
	}
}

void evidence_submit_events(struct evidence *v, struct kube_client *client,
			    struct kube_target *target, evidence_done_fn *done, void *user)
{
	const char *uid;
	json_t *since;
	size_t i = 0;

	date_sets(v);
	if (!begin(v, json_object_size(v->since), done, user))
		return;
	json_object_foreach(v->since, uid, since)
	{
		CLEANUP(cleanup_free) char *selector = mem_printf("involvedObject.uid=%s", uid);
		const struct kube_list list = { .resource = KUBE_EVENTS,
						.field_selector = selector };
		v->lists[i] = (struct evidence_list) { v, KUBE_EVENTS };
		kube_submit_list(client, target, &list, list_done, &v->lists[i]);
		i++;
	}
}

/* ---- concluding ------------------------------------------------------------------------------ */

bool evidence_cause(struct evidence *v, struct err *ret_cause)
{
	const struct kind *kind = v->view.kind;
	bool reads_pods = (kind->evidence & OBSERVE(KUBE_PODS)) != 0;
	bool probes_count = v->view.row->status_age_ms >= kind->probes_grace_ms;
	size_t i;
	json_t *pod;

	date_sets(v);
	json_array_foreach(v->pods, i, pod)
	{
		if (reads_pods && diagnose_pod(pod, ret_cause) &&
		    !diagnose_awaits_volumes(ret_cause))
			return true;
	}
	return diagnose_events(v->events, v->since, probes_count, ret_cause);
}

bool evidence_adds_node(const struct evidence *v, struct err *cause)
{
	return diagnose_autoscaler(v->events, v->since, cause);
}
