#ifndef FSA_RECONCILE_WAVE_H
#define FSA_RECONCILE_WAVE_H

#include "reconcile/work.h"

/*
 * A wave: requests of one row's work that are in flight together, and the function that continues
 * after the last response. They are submitted between wave_begin() and wave_ready(); a wave without
 * requests is over at once.
 */

/* Whether a wave may still begin: its responses, or timeouts, must come before the lease ends. */
bool wave_fits(const struct work *w);
/* False: the lease would not outlive it, and the work is over. */
bool wave_begin(struct work *w, void (*next)(struct work *));
void wave_ready(struct work *w);

/* Requests whose response the work keeps (work.answer): one per wave. */
void wave_get(struct work *w, enum kube_resource type, const char *name);
/* Objects that controllers create for the row and label with its name, as OBSERVE_INSTANCE. */
void wave_list_instance(struct work *w, enum kube_resource type);
/* Unless it is being deleted already. An object that is gone counts as deleted. */
void wave_delete(struct work *w, enum kube_resource type, const json_t *object);
/* For requests that another module submits: call it after `w->pending++`. */
void wave_answered(struct work *w, const struct kube_answer *answer);

#endif
