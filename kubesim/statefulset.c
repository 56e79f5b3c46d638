/* StatefulSets: ordinals, revisions, rolling updates, claims and their retention. Source:
 * kubernetes.io, "StatefulSets" and "Basic StatefulSet". Each sync does things in the order of the
 * real controller: create, scale down, then replace one outdated pod. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "controllers.h"
#include "events.h"
#include "write.h"

enum { PODS_MAX = 1000, RETRY_MS = 1000, REVISION_LENGTH = 300 };

struct set {
	struct sim *sim;
	struct object *object;
	json_t *json;
	long long replicas;
	bool parallel;
	char revision[REVISION_LENGTH]; /* the newest template's */
	struct object *pods[PODS_MAX];  /* by ordinal; NULL: none */
	size_t top;                     /* one above the highest ordinal that has a pod */
};

/* ---- the existing objects -------------------------------------------------------------------- */

/* A name derived from the template, so that equal templates have equal names. */
static void name_revision(struct set *s)
{
	static const char letters[] = "bcdfghjklmnpqrstvwxz2456789";
	CLEANUP(cleanup_free)
	char *text = json_dumps(json_path(s->json, "spec.template"), JSON_COMPACT | JSON_SORT_KEYS);
	uint64_t hash = 14695981039346656037U;
	char suffix[11] = "";

	for (const char *at = text; *at != '\0'; at++)
		hash = (hash ^ (unsigned char)*at) * 1099511628211U;
	for (size_t i = 0; i < sizeof(suffix) - 1; i++, hash /= 27)
		suffix[i] = letters[hash % 27];
	snprintf(s->revision, sizeof(s->revision), "%s-%s", s->object->name, suffix);
}

static bool read_ordinal(const struct set *s, const char *pod, size_t *ret_ordinal)
{
	size_t length = strlen(s->object->name);
	char *end;

	if (strncmp(pod, s->object->name, length) != 0 || pod[length] != '-')
		return false;
	unsigned long ordinal = strtoul(pod + length + 1, &end, 10);
	if (*end != '\0' || end == pod + length + 1 || ordinal >= PODS_MAX)
		return false;
	*ret_ordinal = ordinal;
	return true;
}

static void find_pods(struct set *s)
{
	struct index_set owned = store_owned(s->sim->store, s->object->uid);

	for (size_t i = 0; i < owned.count; i++) {
		struct object *o = owned.items[i];
		size_t ordinal;
		if (o->kind->id != KIND_POD || !read_ordinal(s, o->name, &ordinal))
			continue;
		s->pods[ordinal] = o;
		if (ordinal >= s->top)
			s->top = ordinal + 1;
	}
}

static bool is_ready(const struct object *pod)
{
	return pod != NULL && !pod->deleting && pod->is_ready;
}

static bool is_current(const struct set *s, const struct object *pod)
{
	const char *revision = object_label(pod, "controller-revision-hash");

	return revision != NULL && strcmp(revision, s->revision) == 0;
}

static struct change by_controller(const struct set *s, const char *verb)
{
	return (struct change) {
		.user = users_system(s->sim->users),
		.verb = verb,
		.subresource = "",
	};
}

/* ---- claims ---------------------------------------------------------------------------------- */

static json_t *owner_of(const struct object *o, bool controller)
{
	json_t *owner = json_pack("{s:s, s:s, s:s, s:s}", "apiVersion", o->kind->api_version,
				  "kind", o->kind->kind, "name", o->name, "uid", o->uid);

	json_object_set_new(owner, "controller", json_boolean(controller));
	json_object_set_new(owner, "blockOwnerDeletion", json_true());
	return owner;
}

static char *claim_name(const struct set *s, const json_t *template, size_t ordinal)
{
	return mem_printf("%s-%s-%zu", json_path_text(template, "metadata.name"), s->object->name,
			  ordinal);
}

static bool retention_is_delete(const struct set *s, const char *when)
{
	return strcmp(json_path_text(
			      json_path(s->json, "spec.persistentVolumeClaimRetentionPolicy"),
			      when),
		      "Delete") == 0;
}

static json_t *make_claim(const struct set *s, const json_t *template, const char *name)
{
	json_t *claim = json_pack("{s:o, s:o}", "metadata",
				  json_deep_copy(json_object_get(template, "metadata")), "spec",
				  json_deep_copy(json_object_get(template, "spec")));
	json_t *metadata = json_object_get(claim, "metadata");
	json_t *labels = json_object_get(metadata, "labels");

	json_object_set_new(metadata, "name", json_string(name));
	json_object_set_new(metadata, "namespace", json_string(s->object->namespace));
	if (labels == NULL) {
		labels = json_object();
		json_object_set_new(metadata, "labels", labels);
	}
	json_object_update(labels, json_path(s->json, "spec.selector.matchLabels"));
	if (retention_is_delete(s, "whenDeleted"))
		json_object_set_new(metadata, "ownerReferences",
				    json_pack("[o]", owner_of(s->object, true)));
	return claim;
}

/* Finds the claim of a pod's volume, or NULL; the caller frees its name. */
static struct object *find_claim(struct set *s, const json_t *template, size_t ordinal,
				 char **ret_name)
{
	*ret_name = claim_name(s, template, ordinal);
	return store_get(s->sim->store, KIND_CLAIM, s->object->namespace, *ret_name);
}

static int create_claims(struct set *s, size_t ordinal, struct refusal *r)
{
	struct change c = by_controller(s, "create");
	size_t i;
	json_t *template;

	json_array_foreach(json_path(s->json, "spec.volumeClaimTemplates"), i, template)
	{
		CLEANUP(cleanup_free) char *name = NULL;
		struct object *claim = find_claim(s, template, ordinal, &name);
		if (claim != NULL)
			continue;
		CLEANUP(json_decrefp) json_t *json = make_claim(s, template, name);
		if (write_create(s->sim, kind_get(KIND_CLAIM), json, &c, &claim, r) < 0)
			return -1;
	}
	return 0;
}

static void delete_claims(struct set *s, size_t ordinal)
{
	size_t i;
	json_t *template;

	json_array_foreach(json_path(s->json, "spec.volumeClaimTemplates"), i, template)
	{
		CLEANUP(cleanup_free) char *name = NULL;
		struct object *claim = find_claim(s, template, ordinal, &name);
		if (claim != NULL && !claim->deleting)
			write_collect(s->sim, claim);
	}
}

/* ---- pods ------------------------------------------------------------------------------------ */

static void add_volumes(const struct set *s, json_t *spec, size_t ordinal)
{
	json_t *volumes = json_object_get(spec, "volumes"), *template;
	size_t i;

	if (volumes == NULL) {
		volumes = json_array();
		json_object_set_new(spec, "volumes", volumes);
	}
	json_array_foreach(json_path(s->json, "spec.volumeClaimTemplates"), i, template)
	{
		CLEANUP(cleanup_free) char *name = claim_name(s, template, ordinal);
		json_array_insert_new(volumes, i,
				      json_pack("{s:s, s:{s:s}}", "name",
						json_path_text(template, "metadata.name"),
						"persistentVolumeClaim", "claimName", name));
	}
}

static json_t *make_pod(const struct set *s, size_t ordinal)
{
	json_t *pod = json_deep_copy(json_path(s->json, "spec.template"));
	CLEANUP(cleanup_free) char *name = mem_printf("%s-%zu", s->object->name, ordinal);
	CLEANUP(cleanup_free) char *index = mem_printf("%zu", ordinal);

	json_path_set(pod, "metadata.name", json_string(name));
	json_path_set(pod, "metadata.namespace", json_string(s->object->namespace));
	json_path_set(pod, "metadata.ownerReferences", json_pack("[o]", owner_of(s->object, true)));
	json_t *labels = json_path(pod, "metadata.labels");
	json_object_set_new(labels, "controller-revision-hash", json_string(s->revision));
	json_object_set_new(labels, "statefulset.kubernetes.io/pod-name", json_string(name));
	json_object_set_new(labels, "apps.kubernetes.io/pod-index", json_string(index));
	json_path_set(pod, "spec.hostname", json_string(name));
	json_path_set(pod, "spec.subdomain", json_incref(json_path(s->json, "spec.serviceName")));
	add_volumes(s, json_object_get(pod, "spec"), ordinal);
	return pod;
}

static int create_pod(struct set *s, size_t ordinal)
{
	CLEANUP(json_decrefp) json_t *pod = make_pod(s, ordinal);
	CLEANUP(cleanup_free) char *name = mem_strdup(json_path_text(pod, "metadata.name"));
	struct change c = by_controller(s, "create");
	struct refusal r = { 0 };

	if (create_claims(s, ordinal, &r) == 0 &&
	    write_create(s->sim, kind_get(KIND_POD), pod, &c, &s->pods[ordinal], &r) == 0)
		return 0;
	event_warn(s->sim, s->object, "statefulset-controller", "FailedCreate",
		   "create Pod %s in StatefulSet %s failed error: %s", name, s->object->name,
		   r.message);
	refusal_clear(&r);
	queue_add(s->sim->queue, CONTROLLER_STATEFULSET, s->object->namespace, s->object->name,
		  RETRY_MS);
	return -1;
}

/* A pod that has ended permanently is created again. */
static bool has_ended(const struct object *pod)
{
	const char *phase = object_field(pod, "status.phase");

	return strcmp(phase, "Failed") == 0 || strcmp(phase, "Succeeded") == 0;
}

/* Returns true if all desired pods exist and, with ordered management, are ready, so that the rest
 * may continue. */
static bool scale_up(struct set *s)
{
	for (size_t i = 0; i < (size_t)s->replicas; i++) {
		if (s->pods[i] != NULL && has_ended(s->pods[i]) && !s->pods[i]->deleting) {
			write_collect(s->sim, s->pods[i]);
			return false;
		}
		if (s->pods[i] == NULL && create_pod(s, i) < 0)
			return false;
		if (!s->parallel && !is_ready(s->pods[i]))
			return false;
	}
	return true;
}

static bool scale_down(struct set *s)
{
	bool none = true;

	for (size_t i = s->top; i-- > (size_t)s->replicas;) {
		if (s->pods[i] == NULL)
			continue;
		none = false;
		if (!s->pods[i]->deleting) {
			write_collect(s->sim, s->pods[i]);
			if (retention_is_delete(s, "whenScaled"))
				delete_claims(s, i);
		}
		if (!s->parallel)
			break;
	}
	return none;
}

/* Replaces pods from the highest ordinal down, one at a time. */
static void roll(struct set *s)
{
	if (strcmp(json_path_text(s->json, "spec.updateStrategy.type"), "OnDelete") == 0)
		return;
	for (size_t i = (size_t)s->replicas; i-- > 0;) {
		if (s->pods[i] == NULL)
			return;
		if (!is_current(s, s->pods[i]) && !s->pods[i]->deleting) {
			write_collect(s->sim, s->pods[i]);
			return;
		}
		if (!is_ready(s->pods[i]))
			return;
	}
}

/* ---- status ---------------------------------------------------------------------------------- */

struct counts {
	long long all, ready, updated;
};

static struct counts count_pods(const struct set *s)
{
	struct counts n = { 0 };

	for (size_t i = 0; i < s->top; i++) {
		if (s->pods[i] == NULL)
			continue;
		n.all++;
		n.ready += is_ready(s->pods[i]);
		n.updated += is_current(s, s->pods[i]) && !s->pods[i]->deleting;
	}
	return n;
}

static void set_count(json_t *status, const char *name, long long count, bool always)
{
	if (count > 0 || always)
		json_object_set_new(status, name, json_integer(count));
	else
		json_object_del(status, name);
}

/* The latest revision becomes the current one when all pods have it and are ready. */
static void report_status(struct set *s)
{
	struct counts n = count_pods(s);
	json_t *status = json_object_get(s->json, "status");
	const char *known = json_path_text(status, "currentRevision");
	bool complete = n.updated == n.all && n.ready == n.all && n.all == s->replicas;
	CLEANUP(cleanup_free)
	char *current = mem_strdup(known[0] == '\0' || complete ? s->revision : known);
	bool is_same = strcmp(current, s->revision) == 0;

	json_object_set(status, "observedGeneration", json_path(s->json, "metadata.generation"));
	set_count(status, "replicas", n.all, true);
	set_count(status, "readyReplicas", n.ready, false);
	set_count(status, "availableReplicas", n.ready, true);
	set_count(status, "updatedReplicas", n.updated, false);
	set_count(status, "currentReplicas", is_same ? n.updated : n.all - n.updated, false);
	json_object_set_new(status, "currentRevision", json_string(current));
	json_object_set_new(status, "updateRevision", json_string(s->revision));
	json_object_set_new(status, "collisionCount", json_integer(0));
	write_status(s->sim, s->object, s->json);
}

void stateful_set_look(struct sim *sim, const char *namespace, const char *name)
{
	CLEANUP(cleanup_free) struct set *s = NULL;
	struct object *object = store_get(sim->store, KIND_STATEFULSET, namespace, name);

	if (object == NULL || object->deleting)
		return;
	s = mem_calloc(1, sizeof(*s));
	s->sim = sim;
	s->object = object;
	CLEANUP(json_decrefp) json_t *json = object_json(object);
	s->json = json;
	s->replicas = json_path_number(json, "spec.replicas", 1);
	if (s->replicas > PODS_MAX)
		s->replicas = PODS_MAX;
	s->parallel = strcmp(json_path_text(json, "spec.podManagementPolicy"), "Parallel") == 0;
	name_revision(s);
	find_pods(s);
	if (scale_up(s) && scale_down(s))
		roll(s);
	memset(s->pods, 0, sizeof(s->pods));
	s->top = 0;
	find_pods(s);
	report_status(s);
}
