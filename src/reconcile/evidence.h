#ifndef FSA_RECONCILE_EVIDENCE_H
#define FSA_RECONCILE_EVIDENCE_H

#include <stdbool.h>

#include <jansson.h>

#include "base/err.h"
#include "kube/client.h"
#include "reconcile/view.h"

/*
 * Finds out why a row's objects do not reach their desired state, if their own status does not say:
 * from the events about them, and about the objects that controllers have created for them. An
 * event is evidence only about the object with its UID, and only if it is not older than the
 * present start, which is when we last changed the object (by the cluster's clock, as the event's
 * time is). So nothing that was wrong with a predecessor, or before the last stop, is reported as
 * the cause.
 *
 *     evidence_new() → evidence_submit_objects() → evidence_submit_events() → evidence_cause()
 */
struct evidence;

typedef void evidence_done_fn(void *user);

/* From the row's observation. Everything that the view refers to must outlive it. */
struct evidence *evidence_new(const struct view *view);
void evidence_free(struct evidence *evidence);

/* Each submits requests and calls `done` once, after the last response. What cannot be read is left
 * out: missing evidence is no failure of the row. */
void evidence_submit_objects(struct evidence *evidence, struct kube_client *client,
			     struct kube_target *target, evidence_done_fn *done, void *user);
void evidence_submit_events(struct evidence *evidence, struct kube_client *client,
			    struct kube_target *target, evidence_done_fn *done, void *user);

/* Whether an autoscaler says that it adds a node for a waiting pod, which the cause then mentions.
 * Its last event counts. */
bool evidence_adds_node(const struct evidence *evidence, struct err *cause);

/* Whether something was found that keeps the row from being ready. */
bool evidence_cause(struct evidence *evidence, struct err *ret_cause);

#endif
