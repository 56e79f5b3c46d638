#include "controllers.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "events.h"
#include "pod.h"

typedef void look_fn(struct sim *sim, const char *namespace, const char *name);

static look_fn *const looks[] = {
	[CONTROLLER_STATEFULSET] = stateful_set_look,
	[CONTROLLER_POD] = pod_look,
	[CONTROLLER_POD_END] = pod_end,
	[CONTROLLER_CLAIM] = claim_look,
	[CONTROLLER_CLUSTER] = cluster_look,
	[CONTROLLER_GARBAGE] = garbage_look,
	[CONTROLLER_EVENT] = event_expire,
	[CONTROLLER_NAMESPACE] = namespace_look,
};

void controllers_handle(void *user, int controller, const char *namespace, const char *name)
{
	looks[controller](user, namespace, name);
}

static void look_at(struct sim *sim, enum controller controller, const struct object *o)
{
	queue_add(sim->queue, (int)controller, o->namespace, o->name, 0);
}

/* Whether the change affects what a StatefulSet does or counts. */
static bool matters_to_owner(const struct object *before, const struct object *after)
{
	return before == NULL || after == NULL || before->kind->id != KIND_POD ||
	       before->is_ready != after->is_ready || before->deleting != after->deleting ||
	       strcmp(object_field(before, "status.phase"), object_field(after, "status.phase")) !=
		       0;
}

static void look_at_owners(struct sim *sim, const struct object *before, const struct object *after)
{
	const struct object *o = after != NULL ? after : before;

	if (!matters_to_owner(before, after))
		return;

	for (size_t i = 0; i < o->owner_count; i++) {
		const struct object *owner = store_by_uid(sim->store, o->owners[i]);
		if (owner != NULL && owner->kind->id == KIND_STATEFULSET)
			look_at(sim, CONTROLLER_STATEFULSET, owner);
		if (owner != NULL && owner->deleting)
			queue_add(sim->queue, CONTROLLER_GARBAGE, "", owner->uid, 0);
	}
}

/* A deleted claim is removed with the last pod that uses it; a bound claim lets pods start. */
static void look_at_neighbours(struct sim *sim, enum kind_id kind, enum controller controller,
			       const char *namespace)
{
	size_t count;
	CLEANUP(cleanup_free)
	struct object **objects = store_list(sim->store, kind, namespace, NULL, &count);

	for (size_t i = 0; i < count; i++) {
		if (kind != KIND_CLAIM || objects[i]->deleting)
			look_at(sim, controller, objects[i]);
	}
}

static void pod_changed(struct sim *sim, const struct object *before, const struct object *after)
{
	if (after == NULL) {
		pod_forget(sim, before);
		look_at_neighbours(sim, KIND_CLAIM, CONTROLLER_CLAIM, before->namespace);
		return;
	}
	look_at(sim, CONTROLLER_POD, after);
	if (after->deleting && (before == NULL || !before->deleting))
		queue_add(sim->queue, CONTROLLER_POD_END, after->namespace, after->name,
			  pod_gone_after_ms(sim, after));
}

/* KubeBlocks finds the Cluster of an object by a label. */
static void set_changed(struct sim *sim, const struct object *before, const struct object *o)
{
	const char *manager = object_label(o, "app.kubernetes.io/managed-by");
	const char *instance = object_label(o, "app.kubernetes.io/instance");

	/* The controller ignores changes of the status alone, which are its own. */
	if (before == NULL || before->generation != o->generation)
		look_at(sim, CONTROLLER_STATEFULSET, o);
	if (instance != NULL && manager != NULL && strcmp(manager, "kubeblocks") == 0)
		queue_add(sim->queue, CONTROLLER_CLUSTER, o->namespace, instance,
			  sim->settings.react_after_ms);
}

static void ownership_changed(struct sim *sim, const struct object *before,
			      const struct object *after)
{
	if (after == NULL) {
		struct index_set owned = store_owned(sim->store, before->uid);
		for (size_t i = 0; i < owned.count; i++) {
			const struct object *dependent = owned.items[i];
			queue_add(sim->queue, CONTROLLER_GARBAGE, "", dependent->uid, 0);
		}
	} else if (after->deleting || (before == NULL && after->owner_count > 0)) {
		queue_add(sim->queue, CONTROLLER_GARBAGE, "", after->uid, 0);
	}
	look_at_owners(sim, before, after);
}

void controllers_changed(void *user, const struct object *before, const struct object *after)
{
	struct sim *sim = user;
	const struct object *o = after != NULL ? after : before;

	switch (o->kind->id) {
	case KIND_STATEFULSET:
		set_changed(sim, before, o);
		break;
	case KIND_POD:
		pod_changed(sim, before, after);
		break;
	case KIND_CLAIM:
		look_at(sim, CONTROLLER_CLAIM, o);
		break;
	case KIND_NAMESPACE:
		look_at(sim, CONTROLLER_NAMESPACE, o);
		break;
	case KIND_CLUSTER:
	case KIND_CLUSTER_0_9:
	case KIND_CLUSTER_1_0:
		queue_add(sim->queue, CONTROLLER_CLUSTER, o->namespace, o->name,
			  sim->settings.react_after_ms);
		break;
	default:
		break;
	}
	ownership_changed(sim, before, after);
}

void controllers_wake(struct sim *sim)
{
	static const struct {
		enum kind_id kind;
		enum controller controller;
	} rows[] = {
		{ KIND_POD, CONTROLLER_POD },
		{ KIND_CLAIM, CONTROLLER_CLAIM },
		{ KIND_CLUSTER, CONTROLLER_CLUSTER },
		{ KIND_CLUSTER_0_9, CONTROLLER_CLUSTER },
		{ KIND_CLUSTER_1_0, CONTROLLER_CLUSTER },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		size_t count;
		CLEANUP(cleanup_free)
		struct object **objects = store_list(sim->store, rows[i].kind, NULL, NULL, &count);
		for (size_t j = 0; j < count; j++)
			look_at(sim, rows[i].controller, objects[j]);
	}
}
