#ifndef KUBESIM_WATCH_H
#define KUBESIM_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "selector.h"
#include "store.h"
#include "timers.h"

/*
 * Watches: a client receives each change as a line of JSON, until the requested time is over.
 * Source: the Kubernetes API concepts page, "Efficient detection of changes".
 */
struct watches; /* all of them, and the changes from which a watch can be resumed */
struct watch;

struct watches *watches_new(struct timers *timers);
void watches_free(struct watches *all);
size_t watches_count(const struct watches *all);
/* Call it after each change of the store, which now has that version. */
void watches_changed(struct watches *all, uint64_t version, const struct object *before,
		     const struct object *after);
/* Forgets all changes so far, as etcd does from time to time: resuming from one of them is refused
 * with "410 Gone". */
void watches_compact(struct watches *all, uint64_t version);

struct watch_query {
	enum kind_id kind;
	const char *namespace;            /* NULL: all */
	struct selector *labels, *fields; /* owned by the watch from then on */
	bool metadata_only, bookmarks;
	uint64_t from_version; /* 0: from now, after what there is already */
	uint64_t duration_ms;
};
/* `objects`: what there is, for a watch from now. */
struct watch *watch_new(struct watches *all, const struct watch_query *query,
			struct object *const *objects, size_t count, uint64_t version);
void watch_free(struct watch *w);

/* Called when there is something to read again. It may be called from within any change. */
void watch_on_news(struct watch *w, void (*news)(void *user), void *user);
/* Moves lines to `to`: 0: there are none at present. */
size_t watch_read(struct watch *w, char *to, size_t max);
/* Nothing will come any more. Cut off: it has read so slowly that lines were lost. */
bool watch_is_over(const struct watch *w);
bool watch_is_cut_off(const struct watch *w);

#endif
