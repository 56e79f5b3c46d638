#include "reconcile/assess.h"

#include <string.h>

#include "base/json_at.h"
#include "base/cleanup.h"
#include "manifest/manifest.h"
#include "reconcile/accept.h"
#include "reconcile/credentials.h"
#include "reconcile/diagnose.h"

static const enum kube_resource sandbox_kinds[] = {
	KUBE_STATEFULSETS,
	KUBE_PODS,
	KUBE_SERVICES,
	KUBE_INGRESSES,
	KUBE_NETWORK_POLICIES,
	KUBE_SECRETS,
	KUBE_PERSISTENT_VOLUME_CLAIMS,
};
static const enum kube_resource database_kinds[] = {
	KUBE_CLUSTERS, KUBE_SERVICE_ACCOUNTS, KUBE_ROLES, KUBE_ROLE_BINDINGS, KUBE_NETWORK_POLICIES,
};

bool assess_needs_applied(const struct queue_row *row)
{
	return row->desired == DESIRED_GONE || row->status == STATUS_RUNNING || row->verify;
}

/* What is being made for the first time has no volume yet that could be lost. */
static bool had_volume(const struct queue_row *row)
{
	return row->observed != NULL && strstr(row->observed, "\"volume\"") != NULL;
}

static unsigned database_kinds_of(const struct queue_row *row)
{
	if (row->desired == DESIRED_GONE)
		return OBSERVE_DATABASE_ALL;
	if (assess_needs_applied(row))
		return OBSERVE_DATABASE_APPLIED;
	return row->status == STATUS_CREATING && !had_volume(row) ? OBSERVE(KUBE_CLUSTERS)
								  : OBSERVE_DATABASE_ROLLOUT;
}

unsigned assess_kinds(const struct queue_row *row)
{
	if (row->kind == RESOURCE_DATABASE)
		return database_kinds_of(row);
	if (row->desired == DESIRED_GONE)
		return OBSERVE_SANDBOX_ALL;
	return assess_needs_applied(row) ? OBSERVE_SANDBOX_APPLIED : OBSERVE_SANDBOX_ROLLOUT;
}

struct observe_subject assess_subject(const struct queue_row *row)
{
	return (struct observe_subject) {
		.id = row->id,
		.instance = row->kind == RESOURCE_DATABASE ? row->name : NULL,
	};
}

static bool is_deleting(const json_t *object)
{
	return json_at(object, "metadata.deletionTimestamp") != NULL;
}

/* Its controller has seen the newest spec. */
static bool is_observed(const json_t *object)
{
	return json_number_at(object, "status.observedGeneration") >=
	       json_number_at(object, "metadata.generation");
}

/* What is left of a row's objects while they are being deleted. */
static enum seen assess_remains(const struct queue_row *row, const struct observation *o)
{
	const enum kube_resource *kinds =
		row->kind == RESOURCE_DATABASE ? database_kinds : sandbox_kinds;
	size_t count = row->kind == RESOURCE_DATABASE ? ARRAY_SIZE(database_kinds)
						      : ARRAY_SIZE(sandbox_kinds);
	enum seen seen = SEEN_ABSENT;

	for (size_t i = 0; i < count; i++) {
		size_t j;
		json_t *object;
		json_array_foreach(observation_of(o, kinds[i], row->id), j, object)
		{
			if (!is_deleting(object))
				return SEEN_PROGRESSING;
			seen = SEEN_DELETING;
		}
	}
	return seen;
}

bool assess_drift(const struct queue_row *row, const json_t *wanted, const struct observation *o,
		  const json_t *observed)
{
	size_t i;
	json_t *object;

	json_array_foreach(wanted, i, object)
	{
		enum kube_resource kind;
		if (!kube_resource_find(json_text_at(object, "apiVersion"),
					json_text_at(object, "kind"), &kind) ||
		    !observation_has(o, kind))
			continue;
		const json_t *live =
			observation_object(o, kind, row->id, json_text_at(object, "metadata.name"));
		if (live == NULL)
			return true;
		if (kind != KUBE_SECRETS && !accept_covers(observed, live, object))
			return true;
	}
	return false;
}

/* ---- sandboxes --------------------------------------------------------------------------------
 */

static bool pod_condition(const json_t *pod, const char *type)
{
	size_t i;
	json_t *condition;

	json_array_foreach(json_at(pod, "status.conditions"), i, condition)
	{
		if (strcmp(json_text_at(condition, "type"), type) == 0)
			return strcmp(json_text_at(condition, "status"), "True") == 0;
	}
	return false;
}

static bool pod_container_runs(const json_t *pod)
{
	size_t i;
	json_t *status;

	json_array_foreach(json_at(pod, "status.containerStatuses"), i, status)
	{
		if (json_at(status, "state.running") == NULL)
			return false;
	}
	return i > 0;
}

/* The pod that counts: the newest that is not on its way out. */
static const json_t *current_pod(const json_t *pods)
{
	size_t i;
	json_t *pod;

	json_array_foreach(pods, i, pod)
	{
		if (!is_deleting(pod))
			return pod;
	}
	return NULL;
}

bool assess_lacks_database(const struct queue_row *row)
{
	return row->kind == RESOURCE_SANDBOX && row->database_name != NULL &&
	       row->connection.host == NULL;
}

/* What is in ERROR is not waited for: the sandbox is of use without it. */
static bool awaits_database(const struct queue_row *row)
{
	bool on_its_way =
		row->database_status != STATUS_RUNNING && row->database_status != STATUS_ERROR;

	return assess_lacks_database(row) ||
	       (row->kind == RESOURCE_SANDBOX && row->database_name != NULL && on_its_way);
}

void assess_database_first(const struct queue_row *row, struct assessment *a)
{
	if (a->seen != SEEN_READY || row->status == STATUS_RUNNING || !awaits_database(row))
		return;
	a->seen = SEEN_BLOCKED;
	a->stage = STAGE_DATABASE;
}

static enum stage sandbox_stage(const struct queue_row *row, const json_t *pod)
{
	if (awaits_database(row))
		return STAGE_DATABASE;
	if (pod == NULL || !pod_container_runs(pod))
		return STAGE_CONTAINER;
	if (json_text_at(pod, "status.podIP")[0] == '\0')
		return STAGE_NETWORK;
	return pod_condition(pod, "Ready") ? STAGE_READY : STAGE_TERMINAL;
}

static bool is_rolled_out(const json_t *set)
{
	const json_t *status = json_object_get(set, "status");

	return json_number_at(status, "readyReplicas") >= 1 &&
	       json_number_at(status, "updatedReplicas") >= 1 &&
	       strcmp(json_text_at(status, "currentRevision"),
		      json_text_at(status, "updateRevision")) == 0;
}

/* How long a pod may be missing, a container (and its volume) be made, and a terminal not answer,
 * before that is a fault of which events may tell the cause. */
enum { POD_EXPECTED_MS = 5000, CONTAINER_EXPECTED_MS = 15000, TERMINAL_EXPECTED_MS = 60000 };

static void assess_pod(const struct queue_row *row, const json_t *pod, struct assessment *a)
{
	a->seen = SEEN_PROGRESSING;
	if (pod == NULL) {
		if (row->status_age_ms > POD_EXPECTED_MS)
			a->seen = SEEN_BROKEN;
		return;
	}
	uint64_t expected_ms =
		pod_container_runs(pod) ? TERMINAL_EXPECTED_MS : CONTAINER_EXPECTED_MS;
	bool late = row->status_age_ms > expected_ms;
	a->has_cause =
		diagnose_pod(pod, &a->cause) && (late || !diagnose_awaits_volumes(&a->cause));
	if (a->has_cause || late)
		a->seen = SEEN_BROKEN;
}

static void assess_rollout(const struct queue_row *row, const json_t *set, const json_t *pod,
			   struct assessment *a)
{
	if (!is_observed(set)) {
		a->seen = SEEN_PROGRESSING;
		return;
	}
	if (is_rolled_out(set)) {
		a->seen = SEEN_READY;
		a->stage = STAGE_READY;
		return;
	}
	const char *revision = json_text(
		json_object_get(json_at(pod, "metadata.labels"), "controller-revision-hash"));
	bool outdated = strcmp(revision, json_text_at(set, "status.updateRevision")) != 0;
	if (pod != NULL && outdated && !pod_condition(pod, "Ready")) {
		a->seen = SEEN_PROGRESSING;
		a->stuck_pod = pod;
		return;
	}
	assess_pod(row, pod, a);
}

static void assess_sandbox(const struct queue_row *row, const char *hash,
			   const struct observation *o, struct assessment *a)
{
	const json_t *set = observation_object(o, KUBE_STATEFULSETS, row->id, row->name);
	const json_t *pods = observation_of(o, KUBE_PODS, row->id);
	const json_t *pod = current_pod(pods);

	a->stage = sandbox_stage(row, pod);
	if (set == NULL) {
		a->seen = SEEN_ABSENT;
		if (row->desired == DESIRED_STOPPED && json_array_size(pods) > 0)
			a->seen = SEEN_PROGRESSING;
		else if (assess_lacks_database(row))
			a->seen = SEEN_BLOCKED;
		return;
	}
	if (is_deleting(set)) {
		a->seen = SEEN_DELETING;
		return;
	}
	json_int_t replicas = json_number_at(set, "spec.replicas");
	if (replicas == 0) {
		bool empty = is_observed(set) && json_array_size(pods) == 0 &&
			     json_number_at(set, "status.replicas") == 0;
		a->seen =
			empty || row->desired == DESIRED_RUNNING ? SEEN_STOPPED : SEEN_PROGRESSING;
		if (row->desired == DESIRED_RUNNING && assess_lacks_database(row))
			a->seen = SEEN_BLOCKED;
		return;
	}
	/* What it should be is not known while its database has no credentials: it stays as it is.
	 */
	bool as_wanted = strcmp(manifest_hash(set), hash) == 0 || assess_lacks_database(row);
	if (row->desired == DESIRED_STOPPED || !as_wanted) {
		a->seen = SEEN_OUTDATED;
		return;
	}
	assess_rollout(row, set, pod, a);
}

/* ---- databases --------------------------------------------------------------------------------
 */

/* How long a database may be on its way before the events about what is made for it are read. */
enum { DATABASE_EXPECTED_MS = 15000 };

bool assess_stopped_by_spec(const json_t *cluster)
{
	const json_t *component = json_at(cluster, "spec.componentSpecs.0");
	const json_t *replicas = json_object_get(component, "replicas");

	return json_is_true(json_object_get(component, "stop")) ||
	       (replicas != NULL && json_integer_value(replicas) == 0);
}

static void assess_database(const struct queue_row *row, const char *hash,
			    const struct observation *o, struct assessment *a)
{
	const json_t *cluster = observation_object(o, KUBE_CLUSTERS, row->id, row->name);
	const char *phase = json_text_at(cluster, "status.phase");

	bool late = row->status_age_ms > DATABASE_EXPECTED_MS;

	a->stage = STAGE_DATABASE;
	if (cluster == NULL) {
		a->seen = SEEN_ABSENT;
	} else if (is_deleting(cluster) || strcmp(phase, "Deleting") == 0) {
		a->seen = SEEN_DELETING;
	} else if (assess_stopped_by_spec(cluster)) {
		bool stopped = is_observed(cluster) && strcmp(phase, "Stopped") == 0;
		a->seen = stopped || row->desired == DESIRED_RUNNING ? SEEN_STOPPED
								     : SEEN_PROGRESSING;
	} else if (row->desired == DESIRED_STOPPED || strcmp(manifest_hash(cluster), hash) != 0) {
		a->seen = SEEN_OUTDATED;
	} else if (is_observed(cluster) && diagnose_cluster(cluster, &a->cause)) {
		a->has_cause = true;
		a->seen = SEEN_BROKEN;
	} else if (!is_observed(cluster) || strcmp(phase, "Running") != 0 ||
		   !credentials_fit(row, cluster)) {
		a->seen = late ? SEEN_BROKEN : SEEN_PROGRESSING;
	} else {
		a->seen = SEEN_READY;
		a->stage = STAGE_READY;
	}
}

struct assessment assess(const struct queue_row *row, const char *hash, const struct observation *o)
{
	struct assessment a = { .seen = SEEN_ABSENT, .stage = row->stage };

	if (row->desired == DESIRED_GONE)
		a.seen = assess_remains(row, o);
	else if (row->kind == RESOURCE_DATABASE)
		assess_database(row, hash, o, &a);
	else
		assess_sandbox(row, hash, o, &a);
	return a;
}
