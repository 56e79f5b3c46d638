/* The garbage collector: removes objects whose owners are gone; foreground and orphan deletion.
 * Source: kubernetes.io, "Garbage Collection" and "Owners and Dependents". */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "controllers.h"
#include "write.h"

static bool has_finalizer(const json_t *json, const char *finalizer)
{
	size_t i;
	json_t *each;

	json_array_foreach(json_path(json, "metadata.finalizers"), i, each)
	{
		if (strcmp(json_string_value(each), finalizer) == 0)
			return true;
	}
	return false;
}

/* Copies the list of dependents, because handling them changes the index. */
static struct object **dependents_of(const struct sim *sim, const struct object *owner,
				     size_t *ret_count)
{
	struct index_set set = store_owned(sim->store, owner->uid);
	struct object **copy = mem_calloc(set.count, sizeof(struct object *));

	for (size_t i = 0; i < set.count; i++)
		copy[i] = object_reference(set.items[i]);
	*ret_count = set.count;
	return copy;
}

static void disown(struct sim *sim, struct object *dependent, const char *uid)
{
	CLEANUP(json_decrefp) json_t *json = object_json(dependent);
	json_t *owners = json_path(json, "metadata.ownerReferences");

	for (size_t i = json_array_size(owners); i-- > 0;) {
		if (strcmp(json_path_text(json_array_get(owners, i), "uid"), uid) == 0)
			json_array_remove(owners, i);
	}
	if (json_array_size(owners) == 0)
		json_object_del(json_object_get(json, "metadata"), "ownerReferences");
	write_status(sim, dependent, json);
}

static void collect_first(struct sim *sim, struct object *owner)
{
	size_t count;
	CLEANUP(cleanup_free) struct object **dependents = dependents_of(sim, owner, &count);

	for (size_t i = 0; i < count; i++) {
		if (!dependents[i]->deleting)
			write_collect(sim, dependents[i]);
		object_release(dependents[i]);
	}
	if (store_owned(sim->store, owner->uid).count == 0)
		write_unfinalize(sim, owner, "foregroundDeletion");
}

static void orphan(struct sim *sim, struct object *owner)
{
	size_t count;
	CLEANUP(cleanup_free) struct object **dependents = dependents_of(sim, owner, &count);

	for (size_t i = 0; i < count; i++) {
		disown(sim, dependents[i], owner->uid);
		object_release(dependents[i]);
	}
	write_unfinalize(sim, owner, "orphan");
}

static bool has_living_owner(const struct sim *sim, const struct object *o)
{
	for (size_t i = 0; i < o->owner_count; i++) {
		if (store_by_uid(sim->store, o->owners[i]) != NULL)
			return true;
	}
	return false;
}

void garbage_look(struct sim *sim, const char *namespace, const char *uid)
{
	struct object *o = store_by_uid(sim->store, uid);

	(void)namespace;
	if (o == NULL)
		return;
	if (!o->deleting) {
		if (o->owner_count > 0 && !has_living_owner(sim, o))
			write_collect(sim, o);
		return;
	}
	if (!o->has_finalizers)
		return;
	CLEANUP(json_decrefp) json_t *json = object_json(o);
	if (has_finalizer(json, "foregroundDeletion"))
		collect_first(sim, o);
	else if (has_finalizer(json, "orphan"))
		orphan(sim, o);
}
