#ifndef KUBESIM_MAP_H
#define KUBESIM_MAP_H

#include <stdbool.h>
#include <stddef.h>

/*
 * A hash map from strings to pointers, and an index from strings to sets of pointers. Keys are
 * copied, what the pointers point to is the caller's.
 */
struct map;

struct map *map_new(void);
void map_free(struct map *map);
void *map_get(const struct map *map, const char *key);
/* Returns what was there before, or NULL. */
void *map_set(struct map *map, const char *key, void *value);
void *map_remove(struct map *map, const char *key);
size_t map_count(const struct map *map);
/* Calls back for every pair, in no order. The map must not be changed meanwhile. */
typedef void map_visit_fn(void *user, const char *key, void *value);
void map_visit(const struct map *map, map_visit_fn *visit, void *user);

struct index;

struct index_set {
	void *const *items; /* in the order of their addition, until one is removed */
	size_t count;
};

struct index *index_new(void);
void index_free(struct index *index);
void index_add(struct index *index, const char *key, void *item);
/* Does nothing when it is not there. */
void index_remove(struct index *index, const char *key, const void *item);
/* Valid until the next change of that key. */
struct index_set index_get(const struct index *index, const char *key);

#endif
