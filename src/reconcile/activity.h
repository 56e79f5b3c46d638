#ifndef FSA_RECONCILE_ACTIVITY_H
#define FSA_RECONCILE_ACTIVITY_H

#include <stdbool.h>

#include "reconcile/work.h"

/*
 * What happens in a sandbox: asked of sandboxd, through the API server (pods/proxy), at the end of
 * an observation that found it running. The program that answers is under its owner's control: an
 * answer can keep the owner's own sandbox from being stopped when idle, and nothing else. Without
 * an answer nothing is known, which the owner sees as a warning, and nothing follows.
 */

/* Whether this row is asked: it runs, and its project is to be stopped when idle. */
bool activity_is_due(const struct work *w);
/* Asks, and continues with `next`. */
void activity_look(struct work *w, void (*next)(struct work *));
/* Clears the warning of a row that is not asked, as it does not run or is never idle. */
void activity_forget(const struct work *w);
/* Adds what was learned to the result. */
void activity_to_result(const struct work *w, struct queue_result *r);

#endif
