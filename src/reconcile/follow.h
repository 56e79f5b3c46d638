#ifndef FSA_RECONCILE_FOLLOW_H
#define FSA_RECONCILE_FOLLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kube/client.h"

/*
 * Rows whose anchor is about to change are followed: all of one user share a watch (kube/watch.h)
 * of the anchor's type in their namespace, for as long as any is on its way and the pass goes on. A
 * change wakes the row, which is then observed as always; if none is reported, its timer does.
 * Stable rows are not followed.
 *
 * What a server can cause by it is bounded: by kube/watch.h, by the number of watches, and for each
 * row by how often, and how many times, a change wakes it. After that it has its timer, as where a
 * watch is refused, does not begin, or ends too soon.
 */
struct follow;

struct follow *follow_new(void);
/* Before the client is freed. */
void follow_free(struct follow *f);

/* An anchor in a namespace. */
struct follow_anchor {
	struct kube_target *target; /* must outlive it all */
	enum kube_resource type;
	const char *name;
};

/* From now on changes of a row's anchor wake it; `version` is the one that was observed last.
 * False: nothing will wake it. */
bool follow_begin(struct follow *f, struct kube_client *client, const struct follow_anchor *anchor,
		  const char *row_id, const char *version);
void follow_end(struct follow *f, const struct follow_anchor *anchor);

/* Takes up to `max` ids of rows that have changed and are due: each once, until follow_begin().
 * Borrowed until the next call of anything here. */
size_t follow_take(struct follow *f, const char **ret_ids, size_t max);
/* Milliseconds until there may be more to take; UINT64_MAX: not before the client's next event. */
uint64_t follow_wait_ms(const struct follow *f);
/* Whether a watch is open for any row. */
bool follow_has_rows(const struct follow *f);

#endif
