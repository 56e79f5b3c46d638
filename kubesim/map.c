#include "map.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"

enum { BUCKETS_FIRST = 64 };

struct node {
	struct node *next;
	uint64_t hash;
	void *value;
	char key[];
};

struct map {
	struct node **buckets;
	size_t bucket_count; /* a power of two */
	size_t count;
};

/* FNV-1a: the keys are not chosen by attackers. */
static uint64_t hash_of(const char *key)
{
	uint64_t hash = 14695981039346656037U;

	for (; *key != '\0'; key++)
		hash = (hash ^ (unsigned char)*key) * 1099511628211U;
	return hash ^ hash >> 32;
}

struct map *map_new(void)
{
	struct map *map = mem_calloc(1, sizeof(*map));

	map->bucket_count = BUCKETS_FIRST;
	map->buckets = mem_calloc(map->bucket_count, sizeof(*map->buckets));
	return map;
}

void map_free(struct map *map)
{
	if (map == NULL)
		return;
	for (size_t i = 0; i < map->bucket_count; i++) {
		struct node *next;
		for (struct node *node = map->buckets[i]; node != NULL; node = next) {
			next = node->next;
			free(node);
		}
	}
	free(map->buckets);
	free(map);
}

/* Returns the link to a key's node, or the end of its chain. */
static struct node **find(const struct map *map, const char *key, uint64_t hash)
{
	struct node **link = &map->buckets[hash & (map->bucket_count - 1)];

	while (*link != NULL && ((*link)->hash != hash || strcmp((*link)->key, key) != 0))
		link = &(*link)->next;
	return link;
}

void *map_get(const struct map *map, const char *key)
{
	const struct node *node = *find(map, key, hash_of(key));

	return node != NULL ? node->value : NULL;
}

static void grow(struct map *map)
{
	size_t count = map->bucket_count * 2;
	struct node **buckets = mem_calloc(count, sizeof(*buckets));

	for (size_t i = 0; i < map->bucket_count; i++) {
		struct node *next;
		for (struct node *node = map->buckets[i]; node != NULL; node = next) {
			struct node **link = &buckets[node->hash & (count - 1)];
			next = node->next;
			node->next = *link;
			*link = node;
		}
	}
	free(map->buckets);
	map->buckets = buckets;
	map->bucket_count = count;
}

void *map_set(struct map *map, const char *key, void *value)
{
	uint64_t hash = hash_of(key);
	struct node **link = find(map, key, hash);

	if (*link != NULL) {
		void *before = (*link)->value;
		(*link)->value = value;
		return before;
	}
	size_t size = strlen(key) + 1;
	struct node *node = mem_calloc(1, sizeof(*node) + size);
	node->hash = hash;
	node->value = value;
	memcpy(node->key, key, size);
	*link = node;
	if (++map->count > map->bucket_count)
		grow(map);
	return NULL;
}

void *map_remove(struct map *map, const char *key)
{
	struct node **link = find(map, key, hash_of(key));
	struct node *node = *link;

	if (node == NULL)
		return NULL;
	void *value = node->value;
	*link = node->next;
	free(node);
	map->count--;
	return value;
}

size_t map_count(const struct map *map)
{
	return map->count;
}

void map_visit(const struct map *map, map_visit_fn *visit, void *user)
{
	for (size_t i = 0; i < map->bucket_count; i++) {
		for (const struct node *node = map->buckets[i]; node != NULL; node = node->next)
			visit(user, node->key, node->value);
	}
}

/* ---- index ----------------------------------------------------------------------------------- */

struct set {
	void **items;
	size_t count, allocated;
};

struct index {
	struct map *sets;
};

struct index *index_new(void)
{
	struct index *index = mem_calloc(1, sizeof(*index));

	index->sets = map_new();
	return index;
}

static void set_free(struct set *set)
{
	free(set->items);
	free(set);
}

static void visit_free(void *user, const char *key, void *value)
{
	(void)user;
	(void)key;
	set_free(value);
}

void index_free(struct index *index)
{
	if (index == NULL)
		return;
	map_visit(index->sets, visit_free, NULL);
	map_free(index->sets);
	free(index);
}

void index_add(struct index *index, const char *key, void *item)
{
	struct set *set = map_get(index->sets, key);

	if (set == NULL) {
		set = mem_calloc(1, sizeof(*set));
		map_set(index->sets, key, set);
	}
	if (set->count == set->allocated) {
		set->allocated = set->allocated ? set->allocated * 2 : 1;
		set->items = mem_realloc(set->items, set->allocated, sizeof(*set->items));
	}
	set->items[set->count++] = item;
}

void index_remove(struct index *index, const char *key, const void *item)
{
	struct set *set = map_get(index->sets, key);

	for (size_t i = 0; set != NULL && i < set->count; i++) {
		if (set->items[i] != item)
			continue;
		set->items[i] = set->items[--set->count];
		if (set->count == 0)
			set_free(map_remove(index->sets, key));
		return;
	}
}

struct index_set index_get(const struct index *index, const char *key)
{
	const struct set *set = map_get(index->sets, key);

	if (set == NULL)
		return (struct index_set) { 0 };
	return (struct index_set) { .items = set->items, .count = set->count };
}
