#include "snapshot.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct snapshot {
	struct {
		struct object **objects;
		size_t count;
	} kinds[KIND_COUNT];
};

struct snapshot *snapshot_new(const struct store *store)
{
	struct snapshot *s = mem_calloc(1, sizeof(*s));

	for (unsigned i = 0; i < KIND_COUNT; i++) {
		s->kinds[i].objects =
			store_list(store, (enum kind_id)i, NULL, NULL, &s->kinds[i].count);
		for (size_t j = 0; j < s->kinds[i].count; j++)
			object_reference(s->kinds[i].objects[j]);
	}
	return s;
}

void snapshot_free(struct snapshot *s)
{
	if (s == NULL)
		return;
	for (unsigned i = 0; i < KIND_COUNT; i++) {
		for (size_t j = 0; j < s->kinds[i].count; j++)
			object_release(s->kinds[i].objects[j]);
		free(s->kinds[i].objects);
	}
	free(s);
}

struct object **snapshot_list(const struct snapshot *s, enum kind_id kind, const char *namespace,
			      size_t *ret_count)
{
	struct object **found = mem_calloc(s->kinds[kind].count, sizeof(struct object *));

	*ret_count = 0;
	for (size_t i = 0; i < s->kinds[kind].count; i++) {
		struct object *o = s->kinds[kind].objects[i];
		if (namespace == NULL || strcmp(o->namespace, namespace) == 0)
			found[(*ret_count)++] = o;
	}
	return found;
}

struct object *snapshot_get(const struct snapshot *s, enum kind_id kind, const char *namespace,
			    const char *name)
{
	for (size_t i = 0; i < s->kinds[kind].count; i++) {
		struct object *o = s->kinds[kind].objects[i];
		if (strcmp(o->namespace, namespace) == 0 && strcmp(o->name, name) == 0)
			return o;
	}
	return NULL;
}
