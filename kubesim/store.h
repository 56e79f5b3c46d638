#ifndef KUBESIM_STORE_H
#define KUBESIM_STORE_H

#include <stdint.h>

#include "map.h"
#include "object.h"
#include "selector.h"

/*
 * All objects, in memory. Kept sorted by name within a type and namespace, as lists are; indexed
 * by uid, by owner and by the labels that selectors of the project ask for.
 */
struct store;

/* Called after every change; `before` or `after` is NULL when it was not there, or no longer is. */
typedef void store_changed_fn(void *user, const struct object *before, const struct object *after);

struct store *store_new(store_changed_fn *changed, void *user);
void store_free(struct store *s);

/* The version that was given last. */
uint64_t store_version(const struct store *s);
size_t store_count(const struct store *s);

/* Borrowed, until the object's next change; NULL if it is not there. */
struct object *store_get(const struct store *s, enum kind_id kind, const char *namespace,
			 const char *name);
struct object *store_by_uid(const struct store *s, const char *uid);
/* Everything that names this uid as an owner. */
struct index_set store_owned(const struct store *s, const char *uid);

/* Puts an object in, or in the place of the one of its name, with a new resourceVersion, which is
 * also written to `json`. Returns it, borrowed. */
struct object *store_put(struct store *s, const struct kind *kind, json_t *json);
void store_remove(struct store *s, const struct object *o);

/* The objects of a type in a namespace (NULL: in all), sorted. `labels` (or NULL) may be used to
 * return fewer objects: the caller still checks each. The array is the caller's, the objects
 * borrowed. */
struct object **store_list(const struct store *s, enum kind_id kind, const char *namespace,
			   const struct selector *labels, size_t *ret_count);

#endif
