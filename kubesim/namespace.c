/* Deletion of namespaces: first their contents, each kind in its own way, and then the namespace.
 * Source: kubernetes.io, "Namespaces Walkthrough", and the admission plugin NamespaceLifecycle. */
#include <stdlib.h>

#include "base/cleanup.h"
#include "controllers.h"
#include "write.h"

enum { LOOK_AGAIN_MS = 200 };

/* Deletes all objects of a kind; returns how many there were. */
static size_t collect(struct sim *sim, enum kind_id kind, const char *namespace)
{
	size_t count;
	CLEANUP(cleanup_free)
	struct object **objects = store_list(sim->store, kind, namespace, NULL, &count);

	for (size_t i = 0; i < count; i++)
		object_reference(objects[i]);
	for (size_t i = 0; i < count; i++) {
		if (!objects[i]->deleting)
			write_collect(sim, objects[i]);
		object_release(objects[i]);
	}
	return count;
}

void namespace_look(struct sim *sim, const char *none, const char *name)
{
	struct object *namespace = store_get(sim->store, KIND_NAMESPACE, "", name);
	size_t found = 0;

	(void)none;
	if (namespace == NULL || !namespace->deleting)
		return;
	for (unsigned kind = 0; kind < KIND_COUNT; kind++) {
		if (kind_get((enum kind_id)kind)->namespaced)
			found += collect(sim, (enum kind_id)kind, name);
	}
	if (found == 0 && !namespace->has_finalizers)
		write_remove(sim, namespace);
	else
		queue_add(sim->queue, CONTROLLER_NAMESPACE, "", name, LOOK_AGAIN_MS);
}
