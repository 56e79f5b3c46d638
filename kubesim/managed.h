#ifndef KUBESIM_MANAGED_H
#define KUBESIM_MANAGED_H

#include <stdbool.h>

#include <jansson.h>

#include "kind.h"

/*
 * Who owns which fields: server-side apply, and metadata.managedFields. Source: kubernetes.io,
 * "Server-Side Apply": conflicts, forcing, transferring and giving up ownership.
 *
 * Only what clients write is recorded; the fields that the built-in controllers write have no
 * owner.
 */
struct writer {
	const char *manager;
	const char *subresource; /* "" or "status" */
	const char *time;        /* RFC 3339 */
};

/* Merges what a manager applies into `live` (NULL: there is none yet), with the managedFields that
 * follow. `config` is complete and of the right types. 409 when another manager owns a field that
 * would change, unless `force`. The caller json_decref()s the result. */
int managed_apply(const struct kind *kind, const json_t *live, const json_t *config,
		  const struct writer *writer, bool force, json_t **ret_object, struct refusal *r);

/* Records in `after` that a manager has changed `before` into it (NULL: created it) by other means
 * than apply. */
void managed_update(const struct kind *kind, const json_t *before, json_t *after,
		    const struct writer *writer);

#endif
