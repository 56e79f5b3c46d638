/* The kind of resource that KubeBlocks runs: a Cluster of PostgreSQL, from which it makes pods,
 * claims and a Secret with the connection, all with its own labels. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json_at.h"
#include "base/mem.h"
#include "reconcile/accept.h"
#include "reconcile/credentials.h"
#include "reconcile/database.h"
#include "reconcile/diagnose.h"
#include "reconcile/expect.h"
#include "reconcile/live.h"
#include "reconcile/obstacle.h"
#include "reconcile/wave.h"
#include "reconcile/work_internal.h"

/* ---- desired state --------------------------------------------------------------------------- */

struct manifest_database database_of(const struct queue_row *row)
{
	return (struct manifest_database) {
		.resource_id = row->id,
		.name = row->name,
		.project_name = row->project_kube_name,
		.namespace = row->namespace,
		.version = row->version,
		.storage_class = row->storage_class,
		.storage_size = row->storage_size,
		.resources = desired_resources(row),
		.stopped = row->desired == DESIRED_STOPPED,
		.form = row->form,
	};
}

static void *make_inputs(const struct desired_context *context, const struct queue_row *row,
			 const struct queue_variables *variables, struct err *e)
{
	struct manifest_database *d = mem_calloc(1, sizeof(*d));

	(void)context;
	(void)variables;
	(void)e;
	*d = database_of(row);
	return d;
}

void database_hash(const void *inputs, const struct manifest_settings *settings,
		   char ret_hash[MANIFEST_HASH_SIZE])
{
	manifest_database_hash(inputs, settings, ret_hash);
}

json_t *database_companions(const void *inputs, const struct manifest_settings *settings)
{
	return manifest_database_companions(inputs, settings);
}

json_t *database_anchor(const void *inputs, const struct manifest_settings *settings,
			const char *hash_of_all)
{
	return manifest_database_anchor(inputs, settings, hash_of_all);
}

/* ---- assessing ------------------------------------------------------------------------------- */

/* How long a database may be starting before events are read, how long it may take to stop or be
 * deleted before its pods are read, and how long its probes may fail. */
enum { EXPECTED_MS = 15000, STOP_EXPECTED_MS = 10000, PROBES_GRACE_MS = 300000 };

static const json_t *live_cluster(const struct view *v)
{
	return observation_object(v->observation, kind_anchor(v->kind), v->row->id, v->row->name);
}

bool database_needs_nothing(const struct queue_row *row)
{
	(void)row;
	return false;
}

/* By `replicas: 0` up to KubeBlocks 0.9.0, by `stop: true` in later versions. */
static bool is_stopped_by_spec(const json_t *cluster)
{
	const json_t *component = json_at(cluster, "spec.componentSpecs.0");
	const json_t *replicas = json_object_get(component, "replicas");

	return json_is_true(json_object_get(component, "stop")) ||
	       (replicas != NULL && json_integer_value(replicas) == 0);
}

static void assess_database(const struct view *v, const char *desired_hash, struct assessment *a)
{
	const struct queue_row *row = v->row;
	const json_t *cluster = live_cluster(v);
	const char *phase = json_text_at(cluster, "status.phase");
	bool late = expect_age_ms(v, expect_applied_at(cluster)) > EXPECTED_MS;

	a->stage = STAGE_DATABASE;
	if (cluster == NULL) {
		a->observed = OBSERVED_ABSENT;
	} else if (live_is_deleting(cluster) || strcmp(phase, "Deleting") == 0) {
		a->observed = OBSERVED_DELETING;
	} else if (is_stopped_by_spec(cluster)) {
		bool stopped = live_is_observed(cluster) && strcmp(phase, "Stopped") == 0;
		a->observed = stopped || row->desired == DESIRED_RUNNING ? OBSERVED_STOPPED
									 : OBSERVED_PROGRESSING;
	} else if (row->desired == DESIRED_STOPPED ||
		   strcmp(manifest_hash(cluster), desired_hash) != 0) {
		a->observed = OBSERVED_OUTDATED;
	} else if (live_is_observed(cluster) && diagnose_cluster(cluster, &a->cause)) {
		a->has_cause = true;
		a->observed = OBSERVED_BROKEN;
	} else if (!live_is_observed(cluster) || strcmp(phase, "Running") != 0 ||
		   !credentials_fit(row, cluster)) {
		a->observed = late ? OBSERVED_BROKEN : OBSERVED_PROGRESSING;
	} else {
		a->observed = OBSERVED_READY;
		a->stage = STAGE_READY;
	}
}

/* KubeBlocks decides how a change of a Cluster affects its pods. */
static bool would_end_pod(const struct view *v, const json_t *desired, const struct assessment *a)
{
	const json_t *live = live_cluster(v);

	return a->observed == OBSERVED_OUTDATED && live != NULL && !is_stopped_by_spec(live) &&
	       !accept_covers(v->kept, live, desired) &&
	       !manifest_covers(json_object_get(live, "spec"), json_object_get(desired, "spec"));
}

/* ---- reading further objects ----------------------------------------------------------------- */

static void credentials_read(struct work *w)
{
	const struct view v = work_view(w);
	const json_t *cluster = live_cluster(&v);

	if (w->failed && w->err.kind == ERR_KUBE_NOT_FOUND)
		w->failed = false;
	else if (!w->failed)
		w->failed = credentials_learn(&w->credentials, w->answer, cluster, &w->row,
					      w->context->desired, &w->err) < 0;
	w->stale = true;
	w->proceed(w);
}

static void read_credentials(struct work *w)
{
	CLEANUP(cleanup_free) char *name = credentials_secret_name(&w->row);

	if (!wave_begin(w, credentials_read))
		return;
	wave_get(w, KUBE_SECRETS, name);
	wave_ready(w);
}

/* Its volumes may still exist when the Cluster is gone. */
static void volumes_read(struct work *w)
{
	struct assessment *a = &w->assessment;
	const struct view v = work_view(w);

	w->leftovers = json_incref(json_object_get(w->answer, "items"));
	w->leftover_type = KUBE_PERSISTENT_VOLUME_CLAIMS;
	if (json_array_size(w->leftovers) > 0)
		a->observed = OBSERVED_DELETING;
	a->has_obstacle =
		obstacle_among(&v, KUBE_PERSISTENT_VOLUME_CLAIMS, w->leftovers, &a->obstacle);
	w->proceed(w);
}

/* Failing to read them is no failure of the database. */
static void pods_read(struct work *w)
{
	struct assessment *a = &w->assessment;
	const json_t *pods = w->failed ? NULL : json_object_get(w->answer, "items");
	const struct view v = work_view(w);

	w->failed = false;
	if (obstacle_among(&v, KUBE_PODS, pods, &a->obstacle))
		a->has_obstacle = true;
	w->proceed(w);
}

static void list(struct work *w, enum kube_resource type, void (*next)(struct work *))
{
	if (!wave_begin(w, next))
		return;
	wave_list_instance(w, type);
	wave_ready(w);
}

/* If a Cluster takes long to stop or to be deleted, its pods show why. */
static bool awaits_pods(const struct work *w)
{
	bool stops =
		w->row.desired == DESIRED_STOPPED && w->assessment.observed == OBSERVED_PROGRESSING;

	const struct view v = work_view(w);
	const json_t *cluster = live_cluster(&v);
	const char *since = stops ? expect_applied_at(cluster)
				  : json_text_at(cluster, "metadata.deletionTimestamp");

	return (stops || w->assessment.observed == OBSERVED_DELETING) &&
	       expect_age_ms(&v, since) > STOP_EXPECTED_MS;
}

static bool prepare(struct work *w)
{
	const struct view v = work_view(w);
	const json_t *cluster = live_cluster(&v);

	if (credentials_are_dead(&w->row, cluster))
		credentials_forget(&w->credentials, &w->row);
	if (credentials_are_due(&w->row, cluster))
		read_credentials(w);
	else if (w->row.desired == DESIRED_GONE && w->assessment.observed == OBSERVED_ABSENT)
		list(w, KUBE_PERSISTENT_VOLUME_CLAIMS, volumes_read);
	else if (awaits_pods(w))
		list(w, KUBE_PODS, pods_read);
	else
		return false;
	return true;
}

/* ---- the row --------------------------------------------------------------------------------- */

static void describe_absence(const struct view *v, char ret_words[STANDSTILL_MAX])
{
	(void)snprintf(ret_words, STANDSTILL_MAX, "namespace %.80s has no cluster %.80s",
		       v->row->namespace, v->row->name);
}

static const enum kube_resource objects[] = {
	KUBE_SERVICE_ACCOUNTS, KUBE_ROLES, KUBE_ROLE_BINDINGS, KUBE_NETWORK_POLICIES, KUBE_CLUSTERS,
};
static const enum kube_resource objects_v1[] = { KUBE_NETWORK_POLICIES, KUBE_CLUSTERS_V1 };

static const struct judge judges[] = {
	{ WARNING_DATABASE_VOLUME_GOING, OBSERVE_INSTANCE_CLAIMS, warn_volume_going },
	{ WARNING_DATABASE_VOLUME_GONE, OBSERVE_INSTANCE_CLAIMS, warn_volume_gone },
	{ WARNING_DATABASE_VOLUME_REPLACED, OBSERVE_INSTANCE_CLAIMS, warn_volume_replaced },
};

/* What does not depend on the release; `cluster` is the type of its Clusters. */
/* clang-format off */
#define KUBEBLOCKS(list, cluster)                                                                  \
	.objects = (list),                                                                         \
	.object_count = ARRAY_SIZE(list),                                                          \
	.dependents = 0,                                                                           \
	.fetched = OBSERVE(KUBE_SECRETS), /* the connection */                                     \
	.creation = OBSERVE(cluster),                                                              \
	.rollout = OBSERVE(cluster) | OBSERVE_INSTANCE_CLAIMS,                                     \
	.claims = OBSERVE_INSTANCE_CLAIMS,                                                         \
	.volume_going = WARNING_DATABASE_VOLUME_GOING,                                             \
	.volume_gone = WARNING_DATABASE_VOLUME_GONE,                                               \
	.by_instance = true,                                                                       \
                                                                                                   \
	.has_environment = false,                                                                  \
	.make_inputs = make_inputs,                                                                \
	.free_inputs = free,                                                                       \
	.hash = database_hash,                                                                     \
	.companions = database_companions,                                                         \
	.anchor = database_anchor,                                                                 \
                                                                                                   \
	.assess = assess_database,                                                                 \
	.lacks_dependency = database_needs_nothing,                                                \
	.awaits_dependency = database_needs_nothing,                                               \
	.would_end_pod = would_end_pod,                                                            \
	.prepare = prepare,                                                                        \
	.judges = judges,                                                                          \
	.judge_count = ARRAY_SIZE(judges),                                                         \
                                                                                                   \
	.shown = (cluster),                                                                        \
	.describe_absence = describe_absence,                                                      \
	.evidence = OBSERVE(KUBE_PODS) | OBSERVE(KUBE_STATEFULSETS) |                              \
		    OBSERVE(KUBE_PERSISTENT_VOLUME_CLAIMS),                                        \
	.probes_grace_ms = PROBES_GRACE_MS
/* clang-format on */

const struct kind kind_kubeblocks = { KUBEBLOCKS(objects, KUBE_CLUSTERS), .may_change = true };
const struct kind kind_kubeblocks_v1 = { KUBEBLOCKS(objects_v1, KUBE_CLUSTERS_V1) };
