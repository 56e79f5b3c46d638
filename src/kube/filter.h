#ifndef FSA_KUBE_FILTER_H
#define FSA_KUBE_FILTER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/*
 * Takes from the JSON text of a response what is read of it, before anything is built: building is
 * most of what a response costs, and a few bytes of "{},{}," take a hundred times as much memory.
 * What is left out is not checked, so it may even be no JSON.
 */
enum { KUBE_JSON_DEPTH = 100 };

/* Names of members, up to a NULL. A name counts wherever it is. */
struct kube_members {
	/* Those of a list's objects that are read. "name*": with everything in it. NULL: all. */
	const char *const *read;
	const char *const *unread; /* if all are read, the exceptions; or NULL */
};

/* Appends to `ret_text`. Each value that is read costs 1, and an array or object 4 more; `cost` is
 * reduced by that. Returns false if there is not enough of it, or if the text is too deep. */
bool kube_filter(const struct kube_members *members, const char *text, size_t length, size_t *cost,
		 struct buf *ret_text);

#endif
