#ifndef FSA_RECONCILE_WAVE_H
#define FSA_RECONCILE_WAVE_H

#include "reconcile/work.h"

/*
 * A wave: some requests of one work that are in flight together, and what goes on when the last of
 * them was answered. Between wave_begin() and wave_ready() they are submitted; a wave of none is
 * over at once.
 */

/* False: the lease would not outlive it, and the work is over. */
bool wave_begin(struct work *w, void (*next)(struct work *));
void wave_ready(struct work *w);

/* Requests whose answer the work keeps (work.answer): one a wave. */
void wave_get(struct work *w, enum kube_resource type, const char *name);
/* What controllers make for the row and label with its name, as OBSERVE_INSTANCE. */
void wave_list_instance(struct work *w, enum kube_resource type);
/* Unless it is being deleted already. What is gone counts as deleted. */
void wave_delete(struct work *w, enum kube_resource type, const json_t *object);
/* For requests that somebody else submits: after `w->pending++`. */
void wave_answered(struct work *w, const struct kube_answer *answer);

#endif
