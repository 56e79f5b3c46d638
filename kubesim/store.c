#include "store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"

/* The indexed labels: the instance that KubeBlocks sets on its objects, the resource that the
 * reconciler sets, and the app by which a StatefulSet selects its pods. */
static const char *const indexed_labels[] = {
	"app.kubernetes.io/instance",
	"project.fullstackagent.io/resource",
	"app",
};

/* The objects of one kind in one namespace, by name. */
struct bucket {
	char *namespace;
	struct object **objects;
	size_t count, allocated;
};

struct buckets {
	struct map *by_namespace;
	struct bucket **sorted;
	size_t count, allocated;
};

struct store {
	struct buckets kinds[KIND_COUNT];
	struct map *by_uid;
	struct index *by_owner;
	struct index *by_label;
	uint64_t version;
	store_changed_fn *changed;
	void *user;
};

struct store *store_new(store_changed_fn *changed, void *user)
{
	struct store *s = mem_calloc(1, sizeof(*s));

	for (size_t i = 0; i < KIND_COUNT; i++)
		s->kinds[i].by_namespace = map_new();
	s->by_uid = map_new();
	s->by_owner = index_new();
	s->by_label = index_new();
	s->version = 1;
	s->changed = changed;
	s->user = user;
	return s;
}

static void bucket_free(struct bucket *b)
{
	for (size_t i = 0; i < b->count; i++)
		object_release(b->objects[i]);
	free(b->objects);
	free(b->namespace);
	free(b);
}

void store_free(struct store *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < KIND_COUNT; i++) {
		for (size_t j = 0; j < s->kinds[i].count; j++)
			bucket_free(s->kinds[i].sorted[j]);
		free(s->kinds[i].sorted);
		map_free(s->kinds[i].by_namespace);
	}
	map_free(s->by_uid);
	index_free(s->by_owner);
	index_free(s->by_label);
	free(s);
}

uint64_t store_version(const struct store *s)
{
	return s->version;
}

size_t store_count(const struct store *s)
{
	return map_count(s->by_uid);
}

/* ---- buckets --------------------------------------------------------------------------------- */

/* Finds the place of the object with this name; false if it would have to be inserted there. */
static bool bucket_find(const struct bucket *b, const char *name, size_t *ret_place)
{
	size_t low = 0, high = b->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(b->objects[middle]->name, name);
		if (order == 0) {
			*ret_place = middle;
			return true;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*ret_place = low;
	return false;
}

static void bucket_insert(struct bucket *b, size_t place, struct object *o)
{
	if (b->count == b->allocated) {
		b->allocated = b->allocated ? b->allocated * 2 : 4;
		b->objects = mem_realloc(b->objects, b->allocated, sizeof(struct object *));
	}
	memmove(&b->objects[place + 1], &b->objects[place],
		(b->count - place) * sizeof(struct object *));
	b->objects[place] = o;
	b->count++;
}

static void bucket_delete(struct bucket *b, size_t place)
{
	b->count--;
	memmove(&b->objects[place], &b->objects[place + 1],
		(b->count - place) * sizeof(struct object *));
}

/* Returns the bucket of a namespace, making it if needed. New namespaces are rare, and buckets are
 * never removed. */
static struct bucket *bucket_of(struct buckets *all, const char *namespace)
{
	struct bucket *b = map_get(all->by_namespace, namespace);
	size_t place = 0;

	if (b != NULL)
		return b;
	b = mem_calloc(1, sizeof(*b));
	b->namespace = mem_strdup(namespace);
	map_set(all->by_namespace, namespace, b);
	if (all->count == all->allocated) {
		all->allocated = all->allocated ? all->allocated * 2 : 8;
		all->sorted = mem_realloc(all->sorted, all->allocated, sizeof(struct bucket *));
	}
	while (place < all->count && strcmp(all->sorted[place]->namespace, namespace) < 0)
		place++;
	memmove(&all->sorted[place + 1], &all->sorted[place],
		(all->count - place) * sizeof(struct bucket *));
	all->sorted[place] = b;
	all->count++;
	return b;
}

/* ---- indexes --------------------------------------------------------------------------------- */

/* The caller frees. */
static char *label_key(enum kind_id kind, const char *namespace, const char *key, const char *value)
{
	return mem_printf("%d/%s/%s=%s", (int)kind, namespace, key, value);
}

typedef void change_index_fn(struct index *index, const char *key, struct object *o);

static void add_to(struct index *index, const char *key, struct object *o)
{
	index_add(index, key, o);
}

static void remove_from(struct index *index, const char *key, struct object *o)
{
	index_remove(index, key, o);
}

static void index_object(struct store *s, struct object *o, change_index_fn *change)
{
	for (size_t i = 0; i < o->owner_count; i++)
		change(s->by_owner, o->owners[i], o);
	for (size_t i = 0; i < ARRAY_SIZE(indexed_labels); i++) {
		const char *value = object_label(o, indexed_labels[i]);
		if (value == NULL)
			continue;
		CLEANUP(cleanup_free)
		char *key = label_key(o->kind->id, o->namespace, indexed_labels[i], value);
		change(s->by_label, key, o);
	}
}

/* ---- reading --------------------------------------------------------------------------------- */

struct object *store_get(const struct store *s, enum kind_id kind, const char *namespace,
			 const char *name)
{
	const struct bucket *b = map_get(s->kinds[kind].by_namespace, namespace);
	size_t place;

	return b != NULL && bucket_find(b, name, &place) ? b->objects[place] : NULL;
}

struct object *store_by_uid(const struct store *s, const char *uid)
{
	return map_get(s->by_uid, uid);
}

struct index_set store_owned(const struct store *s, const char *uid)
{
	return index_get(s->by_owner, uid);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp((*(struct object *const *)a)->name, (*(struct object *const *)b)->name);
}

static bool list_by_label(const struct store *s, enum kind_id kind, const char *namespace,
			  const struct selector *labels, struct object ***ret_objects,
			  size_t *ret_count)
{
	const char *value;

	for (size_t i = 0; labels != NULL && i < ARRAY_SIZE(indexed_labels); i++) {
		if (!selector_required(labels, indexed_labels[i], &value))
			continue;
		CLEANUP(cleanup_free)
		char *key = label_key(kind, namespace, indexed_labels[i], value);
		struct index_set set = index_get(s->by_label, key);
		*ret_objects = mem_calloc(set.count, sizeof(struct object *));
		for (size_t j = 0; j < set.count; j++)
			(*ret_objects)[j] = set.items[j];
		qsort(*ret_objects, set.count, sizeof(struct object *), compare_names);
		*ret_count = set.count;
		return true;
	}
	return false;
}

static struct object **list_all(const struct buckets *all, size_t *ret_count)
{
	struct object **objects;
	size_t count = 0;

	for (size_t i = 0; i < all->count; i++)
		count += all->sorted[i]->count;
	objects = mem_calloc(count, sizeof(struct object *));
	*ret_count = count;
	count = 0;
	for (size_t i = 0; i < all->count; i++) {
		const struct bucket *b = all->sorted[i];
		for (size_t j = 0; j < b->count; j++)
			objects[count++] = b->objects[j];
	}
	return objects;
}

struct object **store_list(const struct store *s, enum kind_id kind, const char *namespace,
			   const struct selector *labels, size_t *ret_count)
{
	struct object **objects;

	if (namespace == NULL)
		return list_all(&s->kinds[kind], ret_count);
	if (list_by_label(s, kind, namespace, labels, &objects, ret_count))
		return objects;
	const struct bucket *b = map_get(s->kinds[kind].by_namespace, namespace);
	*ret_count = b != NULL ? b->count : 0;
	objects = mem_calloc(*ret_count, sizeof(struct object *));
	if (*ret_count > 0)
		memcpy(objects, b->objects, *ret_count * sizeof(struct object *));
	return objects;
}

/* ---- writing --------------------------------------------------------------------------------- */

static void set_version(struct store *s, json_t *json)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)++s->version);
	json_object_set_new(json_object_get(json, "metadata"), "resourceVersion",
			    json_string(text));
}

struct object *store_put(struct store *s, const struct kind *kind, json_t *json)
{
	struct object *before = NULL;
	size_t place;

	set_version(s, json);
	struct object *o = object_new(kind, json);
	struct bucket *b = bucket_of(&s->kinds[kind->id], o->namespace);
	if (bucket_find(b, o->name, &place)) {
		before = b->objects[place];
		b->objects[place] = o;
		index_object(s, before, remove_from);
	} else {
		bucket_insert(b, place, o);
	}
	index_object(s, o, add_to);
	map_set(s->by_uid, o->uid, o);
	s->changed(s->user, before, o);
	object_release(before);
	return o;
}

void store_remove(struct store *s, const struct object *o)
{
	struct bucket *b = bucket_of(&s->kinds[o->kind->id], o->namespace);
	size_t place;

	if (!bucket_find(b, o->name, &place) || b->objects[place] != o)
		return;
	struct object *gone = b->objects[place];
	bucket_delete(b, place);
	index_object(s, gone, remove_from);
	map_remove(s->by_uid, gone->uid);
	s->version++;
	s->changed(s->user, gone, NULL);
	object_release(gone);
}
