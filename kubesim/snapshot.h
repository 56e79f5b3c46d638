#ifndef KUBESIM_SNAPSHOT_H
#define KUBESIM_SNAPSHOT_H

#include "store.h"

/* What a store held at one moment: references to versions, which are immutable. */
struct snapshot;

struct snapshot *snapshot_new(const struct store *store);
void snapshot_free(struct snapshot *s);

/* As store_list() and store_get(). */
struct object **snapshot_list(const struct snapshot *s, enum kind_id kind, const char *namespace,
			      size_t *ret_count);
struct object *snapshot_get(const struct snapshot *s, enum kind_id kind, const char *namespace,
			    const char *name);

#endif
