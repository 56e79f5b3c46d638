#include "reconcile/work.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json_at.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "crypto/token.h"
#include "domain/decide.h"
#include "reconcile/accept.h"
#include "reconcile/activity.h"
#include "reconcile/applied.h"
#include "reconcile/crash.h"
#include "reconcile/restarts.h"
#include "reconcile/standstill.h"
#include "reconcile/volume.h"
#include "reconcile/vouch.h"
#include "reconcile/wave.h"
#include "reconcile/work_internal.h"

static void finish(struct work *w)
{
	w->context->finished(w);
}

/* ---- results --------------------------------------------------------------------------------- */

static unsigned deadline_s(const struct work *w, enum observed observed)
{
	const struct assessment *a = &w->assessment;

	if (!a->has_cause || a->cause.kind != ERR_POD_UNSCHEDULABLE)
		return 0;
	return deadline_for_node(w->row.desired, observed, w->context->unschedulable_s);
}

static void decide_with(struct work *w, enum observed observed, bool refused)
{
	w->observed = observed;
	w->decision = decide(&(struct situation) {
		.desired = w->row.desired,
		.observed = observed,
		.status = w->row.status,
		.status_age_ms = w->row.status_age_ms,
		.refused = refused,
		.deadline_s = deadline_s(w, observed),
	});
}

static void decide_on(struct work *w, enum observed observed)
{
	decide_with(w, observed, false);
}

/* Sets when the row is due again. */
static void set_due(const struct work *w, const struct err *cause, struct queue_result *r)
{
	enum requeue requeue = w->decision.requeue;
	uint64_t age_ms = w->decision.status != w->row.status ? 0 : w->row.status_age_ms;
	uint64_t resync_ms = w->context->resync_ms;

	if (cause == NULL && requeue_is_steady(requeue, age_ms, resync_ms)) {
		r->resync_ms = resync_ms;
		return;
	}
	if (cause != NULL)
		requeue = requeue_with_cause(requeue, cause->kind);
	r->due_in_ms = requeue_delay_ms(requeue, age_ms, r->attempts, resync_ms,
					cause ? cause->retry_after_s : 0, token_random_u32());
}

/* If nothing has failed: finds what the row waits for, or that it takes too long. Returns false if
 * all is well. */
static bool find_cause(const struct work *w, struct err *ret_cause)
{
	const struct decision *d = &w->decision;

	if (w->assessment.has_obstacle && !status_is_goal(d->status)) {
		*ret_cause = w->assessment.obstacle;
		return true;
	}
	if (!d->overdue)
		return false;
	const struct view view = work_view(w);
	char words[STANDSTILL_MAX];
	standstill_describe(&view, words);
	err_set(ret_cause, ERR_DEADLINE, NULL, "%s", words);
	return true;
}

/* Ends the work with the result of decide_on(), and the cause for it (NULL: nothing failed). */
static void conclude(struct work *w, const struct err *cause)
{
	const struct decision *d = &w->decision;
	struct queue_result *r = &w->result;
	struct err found;

	if (cause == NULL && find_cause(w, &found))
		cause = &found;
	*r = (struct queue_result) {
		.id = w->row.id,
		.lease_epoch = w->row.lease_epoch,
		.generation = w->row.generation,
		.gone = d->action == ACTION_FORGET,
		.status = d->status,
		.stage = w->assessment.stage,
		.attempts = requeue_backs_off(d->requeue) ? w->row.attempts + 1 : 0,
		.warnings = w->warnings,
		.observed = w->kept,
	};
	activity_to_result(w, r);
	applied_forget(w->kept);
	json_object_set_new(w->kept, "seen", json_string(observed_name(w->observed)));
	if (w->warnings != NULL) {
		const struct view view = work_view(w);
		accept_warn(w->kept, w->warnings);
		activity_forget(w);
		restarts_note(&view);
	}
	set_due(w, cause, r);
	if (cause != NULL) {
		w->err = *cause;
		r->has_cause = true;
		r->cause_kind = err_kind_name(w->err.kind);
		r->cause_code = w->err.code;
		r->cause_message = w->err.message;
	}
	credentials_to_result(&w->credentials, r);
	crash_to_result(w, r);
	w->has_result = true;
	finish(w);
}

/* A request that was not sent in time says nothing about the cluster: the lease is given back, and
 * the row is due at once. */
static bool was_sent(const struct work *w)
{
	return strcmp(w->err.code, KUBE_NOT_SENT) != 0;
}

/* Concludes when the cluster could not be observed. */
static void conclude_failure(struct work *w)
{
	struct err cause = w->err;

	if (!was_sent(w)) {
		finish(w);
		return;
	}
	w->failed = true;
	decide_on(w, observed_of_failure(cause.kind));
	conclude(w, &cause);
}

/* Concludes when the cluster refused the action; the observation before it sets the status. */
static void conclude_refusal(struct work *w)
{
	struct err cause = w->err;

	if (!was_sent(w)) {
		finish(w);
		return;
	}
	if (cause.kind == ERR_KUBE_BILLING)
		decide_on(w, OBSERVED_SUSPENDED);
	else
		decide_with(w, w->assessment.observed, true);
	conclude(w, &cause);
}

/* Concludes when all objects are as desired: a row that was absent or stopped is starting. */
static void conclude_apply(struct work *w)
{
	if (w->failed) {
		conclude_refusal(w);
		return;
	}
	if (w->assessment.observed == OBSERVED_ABSENT && w->row.desired == DESIRED_RUNNING)
		decide_on(w, OBSERVED_PROGRESSING);
	conclude(w, NULL);
}

static const struct err *assessed_cause(const struct work *w)
{
	return w->assessment.has_cause ? &w->assessment.cause : NULL;
}

static void conclude_assessed(struct work *w)
{
	conclude(w, assessed_cause(w));
}

static void conclude_wave(struct work *w)
{
	if (w->failed)
		conclude_refusal(w);
	else
		conclude_assessed(w);
}

/* ---- acting ---------------------------------------------------------------------------------- */

static bool type_of(const json_t *object, enum kube_resource *ret_type)
{
	return kube_resource_find(json_text_at(object, "apiVersion"), json_text_at(object, "kind"),
				  ret_type);
}

static const json_t *live_object(const struct work *w, const json_t *desired)
{
	enum kube_resource type;

	if (!type_of(desired, &type))
		return NULL;
	return observation_object(w->observation, type, w->row.id,
				  json_text_at(desired, "metadata.name"));
}

/* Names what was applied, for one generation: in another generation in between, other objects may
 * have been applied. The caller frees. */
static char *applied_key(const struct work *w)
{
	return mem_printf("%s/%lld", desired_state_hash(w->desired), (long long)w->row.generation);
}

/* Whether an object in the cluster is known to be as desired. The anchor's hash proves that for
 * objects that were not listed or, like Secrets, not read. */
static bool is_applied(const struct work *w, const json_t *desired, bool hash_matches)
{
	enum kube_resource type;
	const json_t *live = live_object(w, desired);

	if (!type_of(desired, &type))
		return false;
	CLEANUP(cleanup_free) char *key = applied_key(w);
	bool applied = hash_matches || applied_has(w->kept, key, desired);
	if (!observation_has(w->observation, type))
		return applied;
	if (type == KUBE_SECRETS)
		return applied && live != NULL;
	return accept_covers(w->kept, live, desired);
}

static void note_version(struct work *w, const json_t *anchor)
{
	(void)snprintf(w->anchor_version, sizeof(w->anchor_version), "%s",
		       json_text_at(anchor, "metadata.resourceVersion"));
}

/* Accepts admission's changes to an object; see reconcile/accept.h. Secrets are excluded. */
static void note_applied(struct work *w, const json_t *desired, const json_t *applied)
{
	enum kube_resource type;

	if (!type_of(desired, &type))
		return;
	CLEANUP(cleanup_free) char *key = applied_key(w);
	applied_note(w->kept, key, desired);
	if (type != KUBE_SECRETS)
		accept_answer(w->kept, applied, desired);
	if (type == kind_anchor(w->kind))
		note_version(w, applied);
}

static void apply_done(void *user, const struct kube_answer *answer)
{
	const struct work_apply *a = user;
	json_auto_t *desired =
		a->text != NULL ? json_loads(a->text, 0, NULL) : json_incref(a->work->anchor);

	if (answer->ok)
		note_applied(a->work, desired, answer->body);
	wave_answered(a->work, answer);
}

static void submit_apply(struct work *w, json_t *object)
{
	struct work_apply *a = &w->applies[w->apply_count++];

	*a = (struct work_apply) { w, object != w->anchor ? json_write(object) : NULL };
	w->pending++;
	kube_submit_apply(w->context->client, w->target, object, apply_done, a);
}

static void apply_anchor(struct work *w)
{
	const json_t *live = live_object(w, w->anchor);

	if (w->failed) {
		conclude_refusal(w);
		return;
	}
	if (accept_covers(w->kept, live, w->anchor)) {
		conclude(w, NULL);
		return;
	}
	if (!wave_begin(w, conclude_apply))
		return;
	submit_apply(w, w->anchor);
	wave_ready(w);
}

/* The anchor contains the hash of all objects, so it is applied last. The others are kept as text
 * while in flight: JSON trees are most of the memory of a row in flight, and contain secrets. */
static void apply(struct work *w)
{
	const struct view view = work_view(w);
	json_auto_t *objects = assess_desired(&view);
	size_t i;
	json_t *object;

	w->anchor = json_incref(json_array_get(objects, json_array_size(objects) - 1));
	bool hash_matches =
		strcmp(manifest_hash(live_object(w, w->anchor)), manifest_hash(w->anchor)) == 0;
	if (!wave_begin(w, apply_anchor))
		return;
	json_array_foreach(objects, i, object)
	{
		if (object != w->anchor && !is_applied(w, object, hash_matches))
			submit_apply(w, object);
	}
	desired_state_shrink(w->desired);
	wave_ready(w);
}

static void delete_each(struct work *w, enum kube_resource type, const json_t *objects)
{
	size_t i;
	json_t *object;

	json_array_foreach(objects, i, object)
	{
		wave_delete(w, type, object);
	}
}

/* Pods are left to their controllers, which delete them with their grace period. */
static void delete_all(struct work *w)
{
	if (!wave_begin(w, conclude_wave))
		return;
	for (unsigned i = 0; i < KUBE_RESOURCE_COUNT; i++) {
		enum kube_resource type = (enum kube_resource)i;
		if (type != KUBE_PODS)
			delete_each(w, type, observation_of(w->observation, type, w->row.id));
	}
	delete_each(w, w->leftover_type, w->leftovers);
	wave_ready(w);
}

static void delete_stuck_pod(struct work *w)
{
	if (!wave_begin(w, conclude_wave))
		return;
	wave_delete(w, KUBE_PODS, w->assessment.stuck_pod);
	wave_ready(w);
}

static void diagnose(struct work *w);

static void act(struct work *w)
{
	switch (w->decision.action) {
	case ACTION_APPLY:
	case ACTION_SCALE_DOWN:
		apply(w);
		break;
	case ACTION_DELETE:
		delete_all(w);
		break;
	case ACTION_DIAGNOSE:
		diagnose(w);
		break;
	case ACTION_NONE:
		if (w->assessment.stuck_pod != NULL)
			delete_stuck_pod(w);
		else if (activity_is_due(w) && wave_fits(w))
			activity_look(w, conclude_assessed);
		else
			conclude_assessed(w);
		break;
	case ACTION_FORGET:
	case ACTION_COUNT:
		conclude(w, NULL);
		break;
	}
}

static void decide_and_act(struct work *w)
{
	decide_on(w, w->assessment.observed);
	act(w);
}

/* ---- diagnosing ------------------------------------------------------------------------------ */

/* If a pod has no node, its own status says why: the events only say whether a node is being added,
 * which is progress. */
static void evidence_read(struct work *w)
{
	struct assessment *a = &w->assessment;

	a->has_cause = a->has_cause || evidence_cause(w->evidence, &a->cause);
	if (!a->has_cause)
		decide_on(w, OBSERVED_PROGRESSING);
	else if (a->cause.kind == ERR_KUBE_BILLING)
		decide_on(w, OBSERVED_SUSPENDED);
	else if (a->cause.kind == ERR_POD_UNSCHEDULABLE)
		decide_on(w, evidence_adds_node(w->evidence, &a->cause) ? OBSERVED_PROGRESSING
									: OBSERVED_BROKEN);
	conclude(w, a->has_cause ? &a->cause : NULL);
}

static void evidence_done(void *user)
{
	wave_ready(user);
}

static void read_events(struct work *w)
{
	if (!wave_begin(w, evidence_read))
		return;
	w->pending++;
	evidence_submit_events(w->evidence, w->context->client, w->target, evidence_done, w);
	wave_ready(w);
}

/* Without it the cause is the same. */
static void log_read(struct work *w)
{
	crash_keep_log(w);
	conclude(w, assessed_cause(w));
}

/* Evidence is read only if the objects themselves do not show the cause. */
static void diagnose(struct work *w)
{
	const struct assessment *a = &w->assessment;

	if (crash_is_new(w) && wave_fits(w)) {
		crash_read_log(w, log_read);
		return;
	}
	if (a->has_cause && a->cause.kind != ERR_POD_UNSCHEDULABLE) {
		conclude(w, &a->cause);
		return;
	}
	if (!wave_begin(w, read_events))
		return;
	const struct view view = work_view(w);
	w->evidence = evidence_new(&view);
	w->pending++;
	evidence_submit_objects(w->evidence, w->context->client, w->target, evidence_done, w);
	wave_ready(w);
}

/* ---- the beginning and the end --------------------------------------------------------------- */

struct work *work_new(const struct work_context *context, const struct queue_row *row,
		      const struct queue_variables *variables, uint64_t lease_ends_ms)
{
	struct work *w = mem_calloc(1, sizeof(*w));

	w->context = context;
	w->kind = kind_of_row(row);
	w->row = *row;
	w->lease_ends_ms = lease_ends_ms;
	w->desired = desired_state_new(context->desired, w->kind, &w->row, variables);
	w->assessment.stage = row->stage;
	w->kept = row->observed != NULL ? json_loads(row->observed, 0, NULL) : NULL;
	if (w->kept == NULL)
		w->kept = json_object();
	return w;
}

void work_free(struct work *w)
{
	if (w == NULL)
		return;
	credentials_clear(&w->credentials);
	buf_release(&w->log_sealed);
	evidence_free(w->evidence);
	desired_state_free(w->desired);
	for (size_t i = 0; i < w->apply_count; i++)
		free(w->applies[i].text);
	json_decref(w->kept);
	json_decref(w->anchor);
	json_decref(w->warnings);
	json_decref(w->answer);
	json_decref(w->leftovers);
	free(w);
}

void work_fail(struct work *w, const struct err *e)
{
	w->err = *e;
	conclude_failure(w);
}

bool work_finish_blocked(struct work *w)
{
	if (w->row.desired != DESIRED_RUNNING || w->row.status != STATUS_CREATING ||
	    !w->kind->lacks_dependency(&w->row))
		return false;
	w->assessment.stage = STAGE_DATABASE;
	decide_on(w, OBSERVED_BLOCKED);
	conclude(w, NULL);
	return true;
}

unsigned work_lists(const struct work *w)
{
	return assess_lists(w->kind, &w->row);
}

struct observe_subject work_subject(const struct work *w)
{
	return assess_subject(w->kind, &w->row);
}

/* Continues after kind.prepare(). */
static void proceed(struct work *w)
{
	const struct view view = work_view(w);

	if (w->failed || (w->stale && assess(&view, &w->assessment, &w->err) < 0))
		conclude_failure(w);
	else
		decide_and_act(w);
}

void work_observed(struct work *w, struct kube_target *target, struct observation *observation)
{
	struct err e;

	w->target = target;
	w->observation = observation;
	const struct view view = work_view(w);
	if (observation_check(observation, work_lists(w), &e) < 0 ||
	    assess(&view, &w->assessment, &e) < 0) {
		work_fail(w, &e);
		return;
	}
	note_version(w,
		     observation_object(observation, kind_anchor(w->kind), w->row.id, w->row.name));
	w->warnings = warn_begin(&w->row);
	volume_note(&view);
	if (w->assessment.observed == OBSERVED_READY && !w->kind->lacks_dependency(&w->row) &&
	    (w->row.verify || w->row.status == STATUS_RUNNING)) /* all of it was compared */
		vouch_note(&view);
	warn_of_observation(w->warnings, &view, &w->assessment);
	w->proceed = proceed;
	if (!w->kind->prepare(w))
		decide_and_act(w);
}

const struct queue_result *work_result(const struct work *w)
{
	return w->has_result ? &w->result : NULL;
}

enum bill_outcome work_outcome(const struct work *w)
{
	if (!w->has_result || (!w->failed && w->observation == NULL))
		return BILL_TRIED;
	if (!w->failed)
		return BILL_SUCCEEDED;
	return w->err.kind == ERR_KUBE_UNREACHABLE ? BILL_TRIED : BILL_FAILED;
}

struct queue_lease work_lease(const struct work *w)
{
	return (struct queue_lease) {
		.id = w->row.id,
		.epoch = w->row.lease_epoch,
		.generation = w->row.generation,
		.observed = w->observation != NULL ? w->kept : NULL,
	};
}

const struct queue_row *work_row(const struct work *w)
{
	return &w->row;
}

/* Deletion is not followed: when the anchor goes, other objects still exist. */
bool work_expects_change(const struct work *w)
{
	return w->has_result && !w->result.has_cause && w->row.desired != DESIRED_GONE &&
	       w->decision.requeue == REQUEUE_SOON && !status_is_goal(w->result.status);
}

const char *work_anchor_version(const struct work *w)
{
	return w->anchor_version;
}
