#include "reconcile/work.h"

#include <stdlib.h>
#include <string.h>

#include "base/json_at.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"
#include "crypto/token.h"
#include "domain/decide.h"
#include "reconcile/accept.h"
#include "reconcile/compare.h"
#include "reconcile/credentials.h"
#include "reconcile/restarts.h"
#include "reconcile/standstill.h"
#include "reconcile/volume.h"
#include "reconcile/warn.h"
#include "reconcile/work_internal.h"

/* ---- waves ------------------------------------------------------------------------------------
 */

static void finish(struct work *w)
{
	w->context->finished(w->user);
}

/* Whether a wave may still begin: its answers, or timeouts, must come before the lease ends. A
 * request may wait for its turn as long as for its answer. */
static bool lease_allows_wave(const struct work *w)
{
	return clock_ms() + 2 * w->context->request_timeout_ms + 500 < w->lease_ends_ms;
}

/* Begins a wave: the requests that follow, then `next`. The caller ends with work_wave_ready(), so
 * that the wave is not over before its last request was submitted. */
bool work_wave_begin(struct work *w, void (*next)(struct work *))
{
	if (!lease_allows_wave(w)) {
		finish(w);
		return false;
	}
	w->pending = 1;
	w->next = next;
	w->failed = false;
	return true;
}

void work_wave_ready(struct work *w)
{
	if (--w->pending == 0)
		w->next(w);
}

static void request_done(void *user, const struct kube_answer *answer)
{
	struct work *w = user;

	if (!answer->ok && !w->failed) {
		w->failed = true;
		w->err = answer->err;
	}
	work_wave_ready(w);
}

/* As request_done(), for deletes: what is gone already is what was asked for. */
static void delete_done(void *user, const struct kube_answer *answer)
{
	struct kube_answer gone = { .ok = true };

	request_done(user, answer->err.kind == ERR_KUBE_NOT_FOUND ? &gone : answer);
}

void work_read_done(void *user, const struct kube_answer *answer)
{
	struct work *w = user;

	json_decref(w->answer);
	w->answer = answer->ok ? json_incref(answer->body) : NULL;
	request_done(user, answer);
}

/* ---- results ----------------------------------------------------------------------------------
 */

static unsigned deadline_s(const struct work *w, enum seen seen)
{
	const struct assessment *a = &w->assessment;

	if (!a->has_cause || a->cause.kind != ERR_POD_UNSCHEDULABLE)
		return 0;
	return deadline_for_node(w->row.desired, seen, w->context->unschedulable_s);
}

static void decide_with(struct work *w, enum seen seen, bool refused)
{
	w->seen = seen;
	w->decision = decide(&(struct situation) {
		.desired = w->row.desired,
		.seen = seen,
		.told = w->row.status,
		.told_age_ms = w->row.status_age_ms,
		.refused = refused,
		.deadline_s = deadline_s(w, seen),
	});
}

void work_decide_on(struct work *w, enum seen seen)
{
	decide_with(w, seen, false);
}

/* When to look again. */
static uint64_t delay_ms(const struct work *w, enum pace pace, const struct err *cause,
			 unsigned attempts)
{
	bool changed = w->decision.status != w->row.status;

	if (cause != NULL)
		pace = pace_with_cause(pace, cause->kind);
	return pace_delay_ms(pace, changed ? 0 : w->row.status_age_ms, attempts,
			     w->context->resync_ms, cause ? cause->retry_after_s : 0,
			     token_random_u32());
}

/* Where nothing has failed: what it waits for, or that it takes too long. False: all is well. */
static bool find_cause(const struct work *w, struct err *ret_cause)
{
	const struct decision *d = &w->decision;

	if (w->assessment.has_obstacle && !status_is_goal(d->status)) {
		*ret_cause = w->assessment.obstacle;
		return true;
	}
	if (!d->overdue)
		return false;
	char words[STANDSTILL_MAX];
	standstill_describe(&w->row, w->observation, words);
	err_set(ret_cause, ERR_DEADLINE, NULL, "%s", words);
	return true;
}

/* Ends the work with what work_decide_on() said last, and the cause for it (NULL: nothing failed).
 */
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
		.attempts = pace_backs_off(d->pace) ? w->row.attempts + 1 : 0,
		.warnings = w->warnings,
		.observed = w->observed,
	};
	json_object_set_new(w->observed, "seen", json_string(seen_name(w->seen)));
	if (w->warnings != NULL) {
		accept_warn(w->observed, w->warnings);
		restarts_note(w->observed, &w->row, w->observation);
	}
	r->due_in_ms = delay_ms(w, d->pace, cause, r->attempts);
	if (cause != NULL) {
		w->err = *cause;
		r->has_cause = true;
		r->cause_kind = err_kind_name(w->err.kind);
		r->cause_code = w->err.code;
		r->cause_message = w->err.message;
	}
	credentials_to_result(&w->credentials, r);
	w->has_result = true;
	finish(w);
}

/* What was not sent in time says nothing about the cluster: the lease is given back, for another
 * turn. */
static bool was_sent(const struct work *w)
{
	return strcmp(w->err.code, KUBE_NOT_SENT) != 0;
}

/* The cluster could not be asked. */
void work_conclude_failure(struct work *w)
{
	struct err cause = w->err;

	if (!was_sent(w)) {
		finish(w);
		return;
	}
	work_decide_on(w, seen_of_failure(cause.kind));
	conclude(w, &cause);
}

/* The cluster did not do what was asked; what it showed before that sets the status. */
static void conclude_refusal(struct work *w)
{
	struct err cause = w->err;

	if (!was_sent(w)) {
		finish(w);
		return;
	}
	if (cause.kind == ERR_KUBE_BILLING)
		work_decide_on(w, SEEN_SUSPENDED);
	else
		decide_with(w, w->assessment.seen, true);
	conclude(w, &cause);
}

/* All objects are there now as they are wanted: what was absent or stopped is on its way. */
static void conclude_apply(struct work *w)
{
	if (w->failed) {
		conclude_refusal(w);
		return;
	}
	if (w->assessment.seen == SEEN_ABSENT && w->row.desired == DESIRED_RUNNING)
		work_decide_on(w, SEEN_PROGRESSING);
	conclude(w, NULL);
}

static const struct err *assessed_cause(const struct work *w)
{
	return w->assessment.has_cause ? &w->assessment.cause : NULL;
}

void work_conclude_wave(struct work *w)
{
	if (w->failed)
		conclude_refusal(w);
	else
		conclude(w, assessed_cause(w));
}

/* ---- acting -----------------------------------------------------------------------------------
 */

static bool kind_of(const json_t *object, enum kube_resource *ret_kind)
{
	return kube_resource_find(json_text_at(object, "apiVersion"), json_text_at(object, "kind"),
				  ret_kind);
}

static const json_t *live_object(const struct work *w, const json_t *wanted)
{
	enum kube_resource kind;

	if (!kind_of(wanted, &kind))
		return NULL;
	return observation_object(w->observation, kind, w->row.id,
				  json_text_at(wanted, "metadata.name"));
}

/* Whether the cluster is known to have an object as it is wanted. The last object's hash vouches
 * for those that were not listed or, like Secrets, not read. */
static bool is_applied(const struct work *w, const json_t *wanted, bool hash_matches)
{
	enum kube_resource kind;
	const json_t *live = live_object(w, wanted);

	if (!kind_of(wanted, &kind))
		return false;
	if (!observation_has(w->observation, kind))
		return hash_matches;
	if (kind == KUBE_SECRETS)
		return hash_matches && live != NULL;
	return accept_covers(w->observed, live, wanted);
}

/* What admission has made of an object is how it should be: see reconcile/accept.h. A Secret does
 * not come back. */
static void apply_done(void *user, const struct kube_answer *answer)
{
	const struct work_apply *a = user;
	json_auto_t *wanted = json_loads(a->text, 0, NULL);

	if (answer->ok &&
	    strcmp(json_text_at(wanted, "kind"), kube_resource_kind(KUBE_SECRETS)) != 0)
		accept_answer(a->work->observed, answer->body, wanted);
	request_done(a->work, answer);
}

static void submit_apply(struct work *w, json_t *object)
{
	struct work_apply *a = &w->applies[w->apply_count++];

	*a = (struct work_apply) { w, json_dumps(object, JSON_COMPACT) };
	w->pending++;
	kube_submit_apply(w->context->client, w->target, object, apply_done, a);
}

static json_t *last_wanted(const struct work *w)
{
	return json_array_get(w->wanted, json_array_size(w->wanted) - 1);
}

static void apply_last(struct work *w)
{
	json_t *last = last_wanted(w);
	const json_t *live = live_object(w, last);

	if (w->failed) {
		conclude_refusal(w);
		return;
	}
	if (accept_covers(w->observed, live, last)) {
		conclude(w, NULL);
		return;
	}
	if (!work_wave_begin(w, conclude_apply))
		return;
	submit_apply(w, last);
	work_wave_ready(w);
}

/* The others are on their way, as text: their trees are most of what a row in flight takes. */
static void keep_last_wanted(struct work *w)
{
	json_t *last = json_incref(last_wanted(w));

	json_array_clear(w->wanted);
	json_array_append_new(w->wanted, last);
}

/* The last object carries the hash of all, so it is applied when the others have been. */
static void apply(struct work *w)
{
	size_t i;
	json_t *object;

	if (compare_wanted(w->context->wanted, &w->row, w->variables, w->observation, &w->wanted,
			   &w->err) < 0) {
		work_conclude_failure(w);
		return;
	}
	const json_t *live = live_object(w, last_wanted(w));
	bool hash_matches = strcmp(manifest_hash(live), manifest_hash(last_wanted(w))) == 0;
	if (!work_wave_begin(w, apply_last))
		return;
	json_array_foreach(w->wanted, i, object)
	{
		if (object == last_wanted(w) || is_applied(w, object, hash_matches))
			continue;
		submit_apply(w, object);
	}
	keep_last_wanted(w);
	work_wave_ready(w);
}

void work_delete_object(struct work *w, enum kube_resource kind, const json_t *object)
{
	if (json_at(object, "metadata.deletionTimestamp") != NULL)
		return;
	w->pending++;
	kube_submit_delete(w->context->client, w->target, kind,
			   json_text_at(object, "metadata.name"),
			   json_text_at(object, "metadata.uid"), delete_done, w);
}

/* Pods are left to their StatefulSet: they go in their own time, with grace. */
static void delete_all(struct work *w)
{
	if (!work_wave_begin(w, work_conclude_wave))
		return;
	for (unsigned kind = 0; kind < KUBE_RESOURCE_COUNT; kind++) {
		size_t i;
		json_t *object;
		if (kind == KUBE_PODS)
			continue;
		json_array_foreach(
			observation_of(w->observation, (enum kube_resource)kind, w->row.id), i,
			object)
		{
			work_delete_object(w, (enum kube_resource)kind, object);
		}
	}
	work_wave_ready(w);
}

static void delete_stuck_pod(struct work *w)
{
	if (!work_wave_begin(w, work_conclude_wave))
		return;
	work_delete_object(w, KUBE_PODS, w->assessment.stuck_pod);
	work_wave_ready(w);
}

static void diagnose(struct work *w);

void work_act(struct work *w)
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
		else
			conclude(w, assessed_cause(w));
		break;
	case ACTION_FORGET:
	case ACTION_COUNT:
		conclude(w, NULL);
		break;
	}
}

void work_decide_and_act(struct work *w)
{
	work_decide_on(w, w->assessment.seen);
	work_act(w);
}

/* ---- diagnosing -------------------------------------------------------------------------------
 */

/* Of a pod without a node its own status has told the cause already: the events only tell whether
 * a node is being added, which is progress. */
static void evidence_read(struct work *w)
{
	struct assessment *a = &w->assessment;

	a->has_cause = a->has_cause || evidence_cause(w->evidence, &a->cause);
	if (!a->has_cause)
		work_decide_on(w, SEEN_PROGRESSING);
	else if (a->cause.kind == ERR_KUBE_BILLING)
		work_decide_on(w, SEEN_SUSPENDED);
	else if (a->cause.kind == ERR_POD_UNSCHEDULABLE)
		work_decide_on(w, evidence_adds_node(w->evidence, &a->cause) ? SEEN_PROGRESSING
									     : SEEN_BROKEN);
	conclude(w, a->has_cause ? &a->cause : NULL);
}

static void evidence_done(void *user)
{
	work_wave_ready(user);
}

static void read_events(struct work *w)
{
	if (!work_wave_begin(w, evidence_read))
		return;
	w->pending++;
	evidence_submit_events(w->evidence, w->context->client, w->target, evidence_done, w);
	work_wave_ready(w);
}

/* The objects themselves may have told the cause; only otherwise evidence is looked for. */
static void diagnose(struct work *w)
{
	const struct assessment *a = &w->assessment;

	if (a->has_cause && a->cause.kind != ERR_POD_UNSCHEDULABLE) {
		conclude(w, &a->cause);
		return;
	}
	if (!work_wave_begin(w, read_events))
		return;
	w->evidence = evidence_new(&w->row, w->observation);
	w->pending++;
	evidence_submit_objects(w->evidence, w->context->client, w->target, evidence_done, w);
	work_wave_ready(w);
}

/* ---- the beginning and the end ----------------------------------------------------------------
 */

struct work *work_new(const struct work_context *context, const struct queue_row *row,
		      const struct queue_variables *variables, uint64_t lease_ends_ms, void *user)
{
	struct work *w = mem_calloc(1, sizeof(*w));

	w->context = context;
	w->row = *row;
	w->variables = variables;
	w->lease_ends_ms = lease_ends_ms;
	w->user = user;
	w->assessment.stage = row->stage;
	w->observed = row->observed != NULL ? json_loads(row->observed, 0, NULL) : NULL;
	if (w->observed == NULL)
		w->observed = json_object();
	return w;
}

void work_free(struct work *w)
{
	if (w == NULL)
		return;
	credentials_clear(&w->credentials);
	evidence_free(w->evidence);
	json_decref(w->warnings);
	json_decref(w->observed);
	for (size_t i = 0; i < w->apply_count; i++)
		free(w->applies[i].text);
	json_decref(w->wanted);
	json_decref(w->answer);
	free(w);
}

void work_fail(struct work *w, const struct err *e)
{
	w->err = *e;
	work_conclude_failure(w);
}

bool work_finish_blocked(struct work *w)
{
	if (w->row.kind != RESOURCE_SANDBOX || w->row.desired != DESIRED_RUNNING ||
	    w->row.status != STATUS_CREATING || w->row.database_name == NULL ||
	    w->row.connection.host != NULL)
		return false;
	w->assessment.stage = STAGE_DATABASE;
	work_decide_on(w, SEEN_BLOCKED);
	conclude(w, NULL);
	return true;
}

unsigned work_kinds(const struct work *w)
{
	return assess_kinds(&w->row);
}

void work_observed(struct work *w, struct kube_target *target, struct observation *observation)
{
	struct err e;

	w->target = target;
	w->observation = observation;
	if (observation_check(observation, work_kinds(w), &e) < 0 ||
	    compare_row(w->context->wanted, &w->row, w->variables, observation, &w->assessment,
			&e) < 0) {
		work_fail(w, &e);
		return;
	}
	w->warnings = warn_begin(&w->row);
	volume_note(w->observed, &w->row, observation);
	warn_of_observation(w->warnings,
			    &(struct sight) { &w->row, observation, w->observed, &w->assessment });
	if (credentials_are_dead(&w->row, work_live_cluster(w)))
		credentials_forget(&w->credentials, &w->row);
	if (credentials_are_due(&w->row, work_live_cluster(w)))
		work_read_credentials(w);
	else if (w->row.kind == RESOURCE_DATABASE && w->row.desired == DESIRED_GONE &&
		 w->assessment.seen == SEEN_ABSENT)
		work_read_volumes(w);
	else if (work_awaits_pods(w))
		work_read_pods(w);
	else
		work_decide_and_act(w);
}

const struct queue_result *work_result(const struct work *w)
{
	return w->has_result ? &w->result : NULL;
}

const struct queue_row *work_row(const struct work *w)
{
	return &w->row;
}
