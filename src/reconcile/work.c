#include "reconcile/work.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"
#include "crypto/token.h"
#include "domain/decide.h"
#include "reconcile/compare.h"
#include "reconcile/credentials.h"
#include "reconcile/evidence.h"
#include "reconcile/warn.h"

struct work {
	const struct work_context *context;
	struct queue_row row;
	const struct queue_variables *variables;
	uint64_t lease_ends_ms;
	void *user;
	struct kube_target *target;
	struct observation *observation;
	json_t *wanted;
	struct assessment assessment;
	struct decision decision;
	struct credentials credentials;
	struct evidence *evidence;
	json_t *warnings;

	unsigned pending; /* requests of the current wave */
	void (*next)(struct work *work);
	bool failed; /* a request of the wave did; the first failure counts */
	struct err err;
	json_t *answer; /* of a wave of one request that reads */

	bool has_result;
	struct queue_result result;
};

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

/* Begins a wave: the requests that follow, then `next`. The caller ends with wave_ready(), so that
 * the wave is not over before its last request was submitted. */
static bool wave_begin(struct work *w, void (*next)(struct work *))
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

static void wave_ready(struct work *w)
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
	wave_ready(w);
}

/* As request_done(), for deletes: what is gone already is what was asked for. */
static void delete_done(void *user, const struct kube_answer *answer)
{
	struct kube_answer gone = { .ok = true };

	request_done(user, answer->err.kind == ERR_KUBE_NOT_FOUND ? &gone : answer);
}

static void read_done(void *user, const struct kube_answer *answer)
{
	struct work *w = user;

	json_decref(w->answer);
	w->answer = answer->ok ? json_incref(answer->body) : NULL;
	request_done(user, answer);
}

/* ---- results ----------------------------------------------------------------------------------
 */

static void decide_on(struct work *w, enum seen seen)
{
	w->decision = decide(&(struct situation) {
		.desired = w->row.desired,
		.seen = seen,
		.told = w->row.status,
		.told_age_ms = w->row.status_age_ms,
	});
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

/* Ends the work with what decide_on() said last, and the cause for it (NULL: none). */
static void conclude(struct work *w, const struct err *cause)
{
	const struct decision *d = &w->decision;
	struct queue_result *r = &w->result;
	struct err late;

	if (cause == NULL && d->overdue) {
		err_set(&late, ERR_DEADLINE, NULL, "still %s after %llu seconds, at stage %s",
			status_name(w->row.status),
			(unsigned long long)(w->row.status_age_ms / 1000),
			stage_name(w->assessment.stage));
		cause = &late;
	}
	*r = (struct queue_result) {
		.id = w->row.id,
		.lease_epoch = w->row.lease_epoch,
		.generation = w->row.generation,
		.gone = d->action == ACTION_FORGET,
		.status = d->status,
		.stage = w->assessment.stage,
		.attempts = pace_backs_off(d->pace) ? w->row.attempts + 1 : 0,
		.warnings = w->warnings,
	};
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

/* The cluster did not do what was asked, or could not be asked. What was not sent in time says
 * nothing about it: the lease is given back, for another turn. */
static void conclude_failure(struct work *w)
{
	struct err cause = w->err;

	if (strcmp(cause.code, KUBE_NOT_SENT) == 0) {
		finish(w);
		return;
	}
	decide_on(w, seen_of_failure(cause.kind));
	conclude(w, &cause);
}

/* All objects are there now as they are wanted: what was absent or stopped is on its way. */
static void conclude_apply(struct work *w)
{
	if (w->failed) {
		conclude_failure(w);
		return;
	}
	if (w->assessment.seen == SEEN_ABSENT && w->row.desired == DESIRED_RUNNING)
		decide_on(w, SEEN_PROGRESSING);
	conclude(w, NULL);
}

static void conclude_wave(struct work *w)
{
	if (w->failed)
		conclude_failure(w);
	else
		conclude(w, w->assessment.has_cause ? &w->assessment.cause : NULL);
}

/* ---- acting -----------------------------------------------------------------------------------
 */

static const char *member(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "";
}

static const char *name_of(const json_t *object)
{
	return member(json_object_get(object, "metadata"), "name");
}

static bool kind_of(const json_t *object, enum kube_resource *ret_kind)
{
	return kube_resource_find(member(object, "apiVersion"), member(object, "kind"), ret_kind);
}

static const json_t *live_object(const struct work *w, const json_t *wanted)
{
	enum kube_resource kind;

	if (!kind_of(wanted, &kind))
		return NULL;
	return observation_object(w->observation, kind, w->row.id, name_of(wanted));
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
	return live != NULL && manifest_covers(live, wanted);
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
		conclude_failure(w);
		return;
	}
	if (live != NULL && manifest_covers(live, last)) {
		conclude(w, NULL);
		return;
	}
	if (!wave_begin(w, conclude_apply))
		return;
	w->pending++;
	kube_submit_apply(w->context->client, w->target, last, request_done, w);
	wave_ready(w);
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
		conclude_failure(w);
		return;
	}
	const json_t *live = live_object(w, last_wanted(w));
	bool hash_matches = strcmp(manifest_hash(live), manifest_hash(last_wanted(w))) == 0;
	if (!wave_begin(w, apply_last))
		return;
	json_array_foreach(w->wanted, i, object)
	{
		if (object == last_wanted(w) || is_applied(w, object, hash_matches))
			continue;
		w->pending++;
		kube_submit_apply(w->context->client, w->target, object, request_done, w);
	}
	keep_last_wanted(w);
	wave_ready(w);
}

static void delete_object(struct work *w, enum kube_resource kind, const json_t *object)
{
	const json_t *metadata = json_object_get(object, "metadata");

	if (json_object_get(metadata, "deletionTimestamp") != NULL)
		return;
	w->pending++;
	kube_submit_delete(w->context->client, w->target, kind, member(metadata, "name"),
			   member(metadata, "uid"), delete_done, w);
}

/* Pods are left to their StatefulSet: they go in their own time, with grace. */
static void delete_all(struct work *w)
{
	if (!wave_begin(w, conclude_wave))
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
			delete_object(w, (enum kube_resource)kind, object);
		}
	}
	wave_ready(w);
}

static void delete_stuck_pod(struct work *w)
{
	if (!wave_begin(w, conclude_wave))
		return;
	delete_object(w, KUBE_PODS, w->assessment.stuck_pod);
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
		else
			conclude(w, NULL);
		break;
	case ACTION_FORGET:
	case ACTION_COUNT:
		conclude(w, NULL);
		break;
	}
}

static void decide_and_act(struct work *w)
{
	decide_on(w, w->assessment.seen);
	act(w);
}

/* ---- diagnosing -------------------------------------------------------------------------------
 */

static void evidence_read(struct work *w)
{
	struct assessment *a = &w->assessment;

	a->has_cause = evidence_cause(w->evidence, &a->cause);
	if (!a->has_cause)
		decide_on(w, SEEN_PROGRESSING);
	else if (a->cause.kind == ERR_KUBE_BILLING)
		decide_on(w, SEEN_SUSPENDED);
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

/* The objects themselves may have told the cause; only otherwise evidence is looked for. */
static void diagnose(struct work *w)
{
	if (w->assessment.has_cause) {
		conclude(w, &w->assessment.cause);
		return;
	}
	if (!wave_begin(w, read_events))
		return;
	w->evidence = evidence_new(&w->row, w->observation);
	w->pending++;
	evidence_submit_objects(w->evidence, w->context->client, w->target, evidence_done, w);
	wave_ready(w);
}

/* ---- databases: credentials and volumes -------------------------------------------------------
 */

static const json_t *live_cluster(const struct work *w)
{
	return observation_object(w->observation, KUBE_CLUSTERS, w->row.id, w->row.name);
}

static void credentials_read(struct work *w)
{
	if (w->failed && w->err.kind != ERR_KUBE_NOT_FOUND) {
		conclude_failure(w);
		return;
	}
	if (!w->failed && credentials_learn(&w->credentials, w->answer, live_cluster(w), &w->row,
					    w->context->wanted, &w->err) < 0) {
		conclude_failure(w);
		return;
	}
	if (compare_row(w->context->wanted, &w->row, w->variables, w->observation, &w->assessment,
			&w->err) < 0) {
		conclude_failure(w);
		return;
	}
	decide_and_act(w);
}

static void read_credentials(struct work *w)
{
	CLEANUP(cleanup_free) char *name = credentials_secret_name(w->row.name);

	if (!wave_begin(w, credentials_read))
		return;
	w->pending++;
	kube_submit_get(w->context->client, w->target, KUBE_SECRETS, name, read_done, w);
	wave_ready(w);
}

static void delete_volumes(struct work *w)
{
	size_t i;
	json_t *claim;

	if (w->failed) {
		conclude_failure(w);
		return;
	}
	if (json_array_size(json_object_get(w->answer, "items")) > 0)
		w->assessment.seen = SEEN_DELETING;
	decide_on(w, w->assessment.seen);
	if (w->decision.action != ACTION_DELETE) {
		act(w);
		return;
	}
	if (!wave_begin(w, conclude_wave))
		return;
	json_array_foreach(json_object_get(w->answer, "items"), i, claim)
	{
		delete_object(w, KUBE_PERSISTENT_VOLUME_CLAIMS, claim);
	}
	wave_ready(w);
}

/* A cluster's volumes are KubeBlocks' own and carry its labels, not ours: that the Cluster is gone
 * does not say that they are. */
static void read_volumes(struct work *w)
{
	CLEANUP(cleanup_free)
	char *selector = mem_printf("app.kubernetes.io/instance=%s", w->row.name);
	struct kube_list claims = {
		.resource = KUBE_PERSISTENT_VOLUME_CLAIMS,
		.label_selector = selector,
	};

	if (!wave_begin(w, delete_volumes))
		return;
	w->pending++;
	kube_submit_list(w->context->client, w->target, &claims, read_done, w);
	wave_ready(w);
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
	return w;
}

void work_free(struct work *w)
{
	if (w == NULL)
		return;
	credentials_clear(&w->credentials);
	evidence_free(w->evidence);
	json_decref(w->warnings);
	json_decref(w->wanted);
	json_decref(w->answer);
	free(w);
}

void work_fail(struct work *w, const struct err *e)
{
	w->err = *e;
	conclude_failure(w);
}

bool work_finish_blocked(struct work *w)
{
	if (w->row.kind != RESOURCE_SANDBOX || w->row.desired != DESIRED_RUNNING ||
	    w->row.status != STATUS_CREATING || w->row.database_name == NULL || w->row.host != NULL)
		return false;
	w->assessment.stage = STAGE_DATABASE;
	decide_on(w, SEEN_BLOCKED);
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
	warn_of_observation(w->warnings, &w->row, observation);
	if (credentials_are_dead(&w->row, live_cluster(w)))
		credentials_forget(&w->credentials, &w->row);
	if (credentials_are_due(&w->row, live_cluster(w)))
		read_credentials(w);
	else if (w->row.kind == RESOURCE_DATABASE && w->row.desired == DESIRED_GONE &&
		 w->assessment.seen == SEEN_ABSENT)
		read_volumes(w);
	else
		decide_and_act(w);
}

const struct queue_result *work_result(const struct work *w)
{
	return w->has_result ? &w->result : NULL;
}

const struct queue_row *work_row(const struct work *w)
{
	return &w->row;
}
