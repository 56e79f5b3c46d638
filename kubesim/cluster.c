/* KubeBlocks as clients see it, like tools/cluster/kubeblocks on the real API server. The order of
 * the phases is that of next() in its phase.go. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"
#include "controllers.h"
#include "kubeblocks.h"
#include "write.h"

#define FINALIZER        "cluster.kubeblocks.io/finalizer"
#define PHASE_ANNOTATION "stand.fullstackagent.io/phase"
#define GENERATION       "kubeblocks.io/generation"
#define SELECTOR_FORMAT  "app.kubernetes.io/instance=%s,app.kubernetes.io/managed-by=kubeblocks"

enum { POLL_MS = 300, PASSWORD_LENGTH = 16 };

/* The phase that a Cluster has reported, and since when. */
struct reported {
	char phase[16];
	uint64_t since_ms;
};

struct cluster {
	struct sim *sim;
	const struct kubeblocks *release;
	struct object *object;
	json_t *json;
	const char *name, *namespace;
};

static struct change by_operator(const struct cluster *k, const char *verb)
{
	return (struct change) {
		.user = users_system(k->sim->users),
		.verb = verb,
		.subresource = "",
	};
}

/* Where `stop` stops a component, nothing else does. */
static long long replicas_of_component(const struct cluster *k, const json_t *component)
{
	long long replicas = json_path_number(component, "replicas", 1);

	if (k->release->stops_by_replicas)
		return replicas;
	if (json_is_true(json_object_get(component, "stop")))
		return 0;
	return replicas > 0 ? replicas : 1;
}

static long long replicas_of(const struct cluster *k)
{
	long long sum = 0;
	size_t i;
	json_t *component;

	json_array_foreach(json_path(k->json, "spec.componentSpecs"), i, component)
	{
		sum += replicas_of_component(k, component);
	}
	return sum;
}

static char *name_of(const struct cluster *k, const char *part)
{
	return mem_printf("%s-%s", k->name, part);
}

/* ---- its objects ----------------------------------------------------------------------------- */

static json_t *labels_of(const struct cluster *k)
{
	return json_pack("{s:s, s:s, s:s}", "app.kubernetes.io/instance", k->name,
			 "app.kubernetes.io/managed-by", "kubeblocks", "app.kubernetes.io/name",
			 "postgresql");
}

static json_t *metadata_of(const struct cluster *k, const char *name, json_t *labels)
{
	const struct kind *kind = kind_get(k->release->kind);

	return json_pack("{s:s, s:s, s:o, s:[{s:s, s:s, s:s, s:s}]}", "name", name, "namespace",
			 k->namespace, "labels", labels, "ownerReferences", "apiVersion",
			 kind->api_version, "kind", kind->kind, "name", k->name, "uid",
			 k->object->uid);
}

/* Stores an object, or replaces spec and annotations of an existing one. */
static void put_object(const struct cluster *k, enum kind_id kind, json_t *desired)
{
	struct object *o = store_get(k->sim->store, kind, k->namespace,
				     json_path_text(desired, "metadata.name"));
	struct change c = by_operator(k, o != NULL ? "apply" : "create");
	struct refusal r;
	int done;

	if (o == NULL) {
		done = write_create(k->sim, kind_get(kind), desired, &c, &o, &r);
	} else {
		CLEANUP(json_decrefp) json_t *json = object_json(o);
		json_object_update(json_object_get(json, "spec"), json_object_get(desired, "spec"));
		if (json_path(desired, "metadata.annotations") != NULL)
			json_path_set(json, "metadata.annotations",
				      json_incref(json_path(desired, "metadata.annotations")));
		done = write_update(k->sim, o, json, &c, &o, &r);
	}
	if (done < 0)
		refusal_clear(&r);
}

static json_t *credentials_of(const struct cluster *k)
{
	CLEANUP(cleanup_free) char *host = name_of(k, k->release->service);
	CLEANUP(cleanup_free) char *endpoint = mem_printf("%s:5432", host);
	char password[PASSWORD_LENGTH + 1];

	rng_text(&k->sim->rng, password, PASSWORD_LENGTH);
	json_t *credentials = json_pack("{s:s, s:s}", "username", "postgres", "password", password);
	if (!k->release->secret_is_account)
		json_object_update_new(credentials,
				       json_pack("{s:s, s:s, s:s}", "endpoint", endpoint, "host",
						 host, "port", "5432"));
	return credentials;
}

/* An existing Secret is never changed: the password is permanent. */
static void put_credentials(const struct cluster *k)
{
	CLEANUP(cleanup_free) char *name = name_of(k, k->release->secret);

	if (store_get(k->sim->store, KIND_SECRET, k->namespace, name) != NULL)
		return;
	CLEANUP(json_decrefp)
	json_t *secret = json_pack("{s:o, s:o}", "metadata", metadata_of(k, name, labels_of(k)),
				   "stringData", credentials_of(k));
	put_object(k, KIND_SECRET, secret);
}

static void put_service(const struct cluster *k)
{
	CLEANUP(cleanup_free) char *name = name_of(k, k->release->service);

	if (store_get(k->sim->store, KIND_SERVICE, k->namespace, name) != NULL)
		return;
	CLEANUP(json_decrefp)
	json_t *service = json_pack("{s:o, s:{s:{s:s}, s:[{s:s, s:i, s:s}]}}", "metadata",
				    metadata_of(k, name, labels_of(k)), "spec", "selector",
				    "app.kubernetes.io/instance", k->name, "ports", "name",
				    "tcp-postgresql", "port", 5432, "targetPort", "tcp-postgresql");
	put_object(k, KIND_SERVICE, service);
}

static json_t *component_labels(const struct cluster *k, const json_t *component)
{
	json_t *labels = labels_of(k);

	json_object_set_new(labels, "apps.kubeblocks.io/component-name",
			    json_string(json_path_text(component, "name")));
	return labels;
}

/* For images that run a real database, such as that of runtime/. */
static json_t *password_variable(const struct cluster *k)
{
	CLEANUP(cleanup_free) char *secret = name_of(k, k->release->secret);

	return json_pack("{s:s, s:{s:{s:s, s:s}}}", "name", "POSTGRES_PASSWORD", "valueFrom",
			 "secretKeyRef", "name", secret, "key", "password");
}

static const char *version_of(const struct cluster *k)
{
	return k->release->kind == KIND_CLUSTER_1_0
		       ? json_path_text(
				 json_array_get(json_path(k->json, "spec.componentSpecs"), 0),
				 "serviceVersion")
		       : json_path_text(k->json, "spec.clusterVersionRef");
}

/* Meets Pod Security "restricted", which a namespace may enforce. */
static json_t *container_of(const struct cluster *k, const json_t *component)
{
	CLEANUP(cleanup_free)
	char *image = mem_printf("example.com/postgresql:%s", version_of(k));
	json_t *container = json_pack(
		"{s:s, s:s, s:[o], s:{s:i, s:{s:i}}, s:[{s:s, s:i}], "
		"s:{s:b, s:{s:[s]}}, s:[]}",
		"name", json_path_text(component, "name"), "image", image, "env",
		password_variable(k), "readinessProbe", "periodSeconds", 1, "tcpSocket", "port",
		5432, "ports", "name", "tcp-postgresql", "containerPort", 5432, "securityContext",
		"allowPrivilegeEscalation", 0, "capabilities", "drop", "ALL", "volumeMounts");
	size_t i;
	json_t *claim;

	if (json_object_get(component, "resources") != NULL)
		json_object_set_new(container, "resources",
				    json_deep_copy(json_object_get(component, "resources")));
	json_array_foreach(json_object_get(component, "volumeClaimTemplates"), i, claim)
	{
		CLEANUP(cleanup_free)
		char *path = mem_printf("/home/postgres/%s", json_path_text(claim, "name"));
		json_array_append_new(json_object_get(container, "volumeMounts"),
				      json_pack("{s:s, s:s}", "name", json_path_text(claim, "name"),
						"mountPath", path));
	}
	return container;
}

static json_t *claims_of(const struct cluster *k, const json_t *component)
{
	json_t *claims = json_array(), *claim;
	size_t i;

	json_array_foreach(json_object_get(component, "volumeClaimTemplates"), i, claim)
	{
		json_array_append_new(claims,
				      json_pack("{s:{s:s, s:o}, s:o}", "metadata", "name",
						json_path_text(claim, "name"), "labels",
						component_labels(k, component), "spec",
						json_deep_copy(json_object_get(claim, "spec"))));
	}
	return claims;
}

static char *set_name(const struct cluster *k, const json_t *component)
{
	return mem_printf("%s-%s", k->name, json_path_text(component, "name"));
}

static void put_set(const struct cluster *k, const json_t *component)
{
	CLEANUP(cleanup_free) char *name = set_name(k, component);
	CLEANUP(cleanup_free) char *service = name_of(k, k->release->service);
	CLEANUP(cleanup_free)
	char *generation = mem_printf("%lld", json_path_number(k->json, "metadata.generation", 0));
	json_t *pod = json_pack("{s:{s:b, s:i, s:{s:s}}, s:[o]}", "securityContext", "runAsNonRoot",
				1, "runAsUser", 999, "seccompProfile", "type", "RuntimeDefault",
				"containers", container_of(k, component));
	if (json_path_text(component, "serviceAccountName")[0] != '\0')
		json_object_set_new(pod, "serviceAccountName",
				    json_string(json_path_text(component, "serviceAccountName")));
	CLEANUP(json_decrefp)
	json_t *set =
		json_pack("{s:o, s:{s:I, s:s, s:s, s:{s:o}, s:{s:{s:o}, s:o}}}", "metadata",
			  metadata_of(k, name, component_labels(k, component)), "spec", "replicas",
			  (json_int_t)replicas_of_component(k, component), "serviceName", service,
			  "podManagementPolicy", "Parallel", "selector", "matchLabels",
			  component_labels(k, component), "template", "metadata", "labels",
			  component_labels(k, component), "spec", pod);
	json_path_set(set, "metadata.annotations", json_pack("{s:s}", GENERATION, generation));
	if (store_get(k->sim->store, KIND_STATEFULSET, k->namespace, name) == NULL)
		json_path_set(set, "spec.volumeClaimTemplates", claims_of(k, component));
	put_object(k, KIND_STATEFULSET, set);
}

/* ---- phases ---------------------------------------------------------------------------------- */

struct observed {
	long long replicas, pods, ready;
	bool current; /* the StatefulSets have acted on their newest spec */
};

static void observe_set(const struct cluster *k, const json_t *component, struct observed *s)
{
	CLEANUP(cleanup_free) char *name = set_name(k, component);
	const struct object *o = store_get(k->sim->store, KIND_STATEFULSET, k->namespace, name);
	CLEANUP(json_decrefp) json_t *set = o != NULL ? object_json(o) : NULL;

	s->pods += json_path_number(set, "status.replicas", 0);
	s->ready += json_path_number(set, "status.readyReplicas", 0);
	s->current = s->current && set != NULL &&
		     json_path_number(set, "status.observedGeneration", 0) ==
			     json_path_number(set, "metadata.generation", -1) &&
		     strcmp(json_path_text(set, "status.currentRevision"),
			    json_path_text(set, "status.updateRevision")) == 0;
}

static struct observed observe(const struct cluster *k)
{
	struct observed s = { .replicas = replicas_of(k), .current = true };
	size_t i;
	json_t *component;

	json_array_foreach(json_path(k->json, "spec.componentSpecs"), i, component)
	{
		observe_set(k, component, &s);
	}
	return s;
}

/* The phase that a transient phase ends in, and how long it takes at least. */
struct way {
	const char *transient, *final;
	uint64_t least_ms;
};

static struct way way_of(const struct cluster *k, long long replicas, const char *phase)
{
	const struct settings *set = &k->sim->settings;

	if (replicas == 0)
		return (struct way) { "Stopping", "Stopped", set->stopping_ms };
	if (phase[0] == '\0' || strcmp(phase, "Creating") == 0)
		return (struct way) { "Creating", "Running", set->creating_ms };
	return (struct way) { "Updating", "Running", set->updating_ms };
}

static uint64_t age_of(const struct cluster *k, const char *phase)
{
	struct reported *reported = map_get(k->sim->phases, k->object->uid);

	if (reported == NULL) {
		reported = mem_calloc(1, sizeof(*reported));
		reported->since_ms = clock_ms();
		map_set(k->sim->phases, k->object->uid, reported);
	}
	if (strcmp(reported->phase, phase) != 0) {
		snprintf(reported->phase, sizeof(reported->phase), "%s", phase);
		reported->since_ms = clock_ms();
	}
	return clock_ms() - reported->since_ms;
}

/* Returns the phase to report; schedules another look if only the least time is missing. */
static const char *next_phase(const struct cluster *k)
{
	const json_t *annotations = json_path(k->json, "metadata.annotations");
	const char *forced = json_string_value(json_object_get(annotations, PHASE_ANNOTATION));
	const char *phase = json_path_text(k->json, "status.phase");
	struct observed s = observe(k);
	struct way way = way_of(k, s.replicas, phase);
	uint64_t age = age_of(k, phase);

	if (forced != NULL)
		return forced;
	if (effects_hit(k->sim->effects, EFFECT_DATABASE_FAILED, k->namespace, k->name,
			k->object->uid))
		return "Failed";
	if (!s.current || s.pods != s.replicas || s.ready != s.replicas)
		return way.transient;
	if (strcmp(phase, way.final) == 0)
		return way.final;
	if (strcmp(phase, way.transient) == 0 && age >= way.least_ms)
		return way.final;
	queue_add(k->sim->queue, CONTROLLER_CLUSTER, k->namespace, k->name,
		  strcmp(phase, way.transient) == 0 ? way.least_ms - age : way.least_ms);
	return way.transient;
}

static void tell(struct cluster *k, const char *phase)
{
	json_t *status = json_object(), *component;
	size_t i;

	json_object_set(status, "observedGeneration", json_path(k->json, "metadata.generation"));
	json_object_set_new(status, "phase", json_string(phase));
	json_object_set_new(status, "components", json_object());
	json_array_foreach(json_path(k->json, "spec.componentSpecs"), i, component)
	{
		json_object_set_new(json_object_get(status, "components"),
				    json_path_text(component, "name"),
				    json_pack("{s:s, s:b}", "phase", phase, "podsReady",
					      strcmp(phase, "Running") == 0));
	}
	json_object_set_new(k->json, "status", status);
	k->object = write_status(k->sim, k->object, k->json);
}

static void bring_up(struct cluster *k)
{
	size_t i;
	json_t *component;

	put_credentials(k);
	put_service(k);
	json_array_foreach(json_path(k->json, "spec.componentSpecs"), i, component)
	{
		put_set(k, component);
	}
	CLEANUP(cleanup_free) char *phase = mem_strdup(next_phase(k));
	tell(k, phase);
}

/* ---- deletion -------------------------------------------------------------------------------- */

/* Deletes all objects of a kind; returns how many there were. */
static size_t remove_all(const struct cluster *k, enum kind_id kind)
{
	CLEANUP(cleanup_free) char *text = mem_printf(SELECTOR_FORMAT, k->name);
	struct selector *selector;
	struct refusal r;
	size_t count, found = 0;

	if (selector_new_labels(text, &selector, &r) < 0)
		return 0;
	CLEANUP(cleanup_free)
	struct object **objects = store_list(k->sim->store, kind, k->namespace, selector, &count);
	for (size_t i = 0; i < count; i++)
		object_reference(objects[i]);
	for (size_t i = 0; i < count; i++) {
		if (selector_matches(selector, objects[i])) {
			found++;
			if (!objects[i]->deleting)
				write_collect(k->sim, objects[i]);
		}
		object_release(objects[i]);
	}
	selector_free(selector);
	return found;
}

static void finalize(struct cluster *k)
{
	const char *policy = json_path_text(k->json, "spec.terminationPolicy");
	size_t left;

	if (strcmp(policy, "DoNotTerminate") == 0)
		return;
	tell(k, "Deleting");
	remove_all(k, KIND_STATEFULSET);
	left = remove_all(k, KIND_POD);
	if (left == 0 && strcmp(policy, "Halt") != 0)
		left = remove_all(k, KIND_CLAIM);
	if (left > 0) {
		queue_add(k->sim->queue, CONTROLLER_CLUSTER, k->namespace, k->name, POLL_MS);
		return;
	}
	free(map_remove(k->sim->phases, k->object->uid));
	write_unfinalize(k->sim, k->object, FINALIZER);
}

/* ---- reconciling a cluster ------------------------------------------------------------------- */

static bool has_finalizer(const json_t *json)
{
	size_t i;
	json_t *each;

	json_array_foreach(json_path(json, "metadata.finalizers"), i, each)
	{
		if (strcmp(json_string_value(each), FINALIZER) == 0)
			return true;
	}
	return false;
}

static void add_finalizer(struct cluster *k)
{
	if (json_path(k->json, "metadata.finalizers") == NULL)
		json_path_set(k->json, "metadata.finalizers", json_array());
	json_array_append_new(json_path(k->json, "metadata.finalizers"), json_string(FINALIZER));
	k->object = write_status(k->sim, k->object, k->json);
}

void cluster_look(struct sim *sim, const char *namespace, const char *name)
{
	struct cluster k = {
		.sim = sim,
		.release = sim->settings.kubeblocks,
		.name = name,
		.namespace = namespace,
	};

	if (k.release != NULL)
		k.object = store_get(sim->store, k.release->kind, namespace, name);
	if (k.object == NULL)
		return;
	CLEANUP(json_decrefp) json_t *json = object_json(k.object);
	k.json = json;
	if (k.object->deleting && has_finalizer(json))
		finalize(&k);
	else if (!k.object->deleting && !has_finalizer(json))
		add_finalizer(&k);
	else if (!k.object->deleting)
		bring_up(&k);
}
