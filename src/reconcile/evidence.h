#ifndef FSA_RECONCILE_EVIDENCE_H
#define FSA_RECONCILE_EVIDENCE_H

#include <stdbool.h>

#include <jansson.h>

#include "base/err.h"
#include "kube/client.h"
#include "reconcile/view.h"

/*
 * Why a row's objects do not become what they should, when their own status does not say: the
 * events about them, and about what controllers have made for them. An event is evidence only about
 * the object with its UID, and only if it is not older than the present start, which is when we
 * last changed the object (by the cluster's clock, as the event's time is). So nothing that was
 * wrong with a predecessor, or before the last stop, is reported as the cause.
 *
 *     evidence_new() → evidence_submit_objects() → evidence_submit_events() → evidence_cause()
 */
struct evidence;

typedef void evidence_done_fn(void *user);

/* Of what the observation has of the row. What the view is of must outlive it. */
struct evidence *evidence_new(const struct view *view);
void evidence_free(struct evidence *evidence);

/* Each submits requests and calls `done` once, when the last was answered. What cannot be read is
 * left out: not being able to is no failure of the row. */
void evidence_submit_objects(struct evidence *evidence, struct kube_client *client,
			     struct kube_target *target, evidence_done_fn *done, void *user);
void evidence_submit_events(struct evidence *evidence, struct kube_client *client,
			    struct kube_target *target, evidence_done_fn *done, void *user);

/* What they would have added, for tests of what is concluded from it. */
void evidence_add_objects(struct evidence *evidence, enum kube_resource kind, const json_t *items);
void evidence_add_events(struct evidence *evidence, const json_t *items);

/* Whether an autoscaler says that it adds a node for a pod that waits for one: then the cause says
 * so, too. What it said last counts. */
bool evidence_adds_node(const struct evidence *evidence, struct err *cause);

/* Whether something was found that keeps the row from being ready. */
bool evidence_cause(struct evidence *evidence, struct err *ret_cause);

#endif
