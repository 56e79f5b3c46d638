#include "defaults.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "crypto/token.h"

static void set_missing(json_t *object, const char *path, json_t *value)
{
	if (json_path(object, path) == NULL)
		json_path_set(object, path, value);
	else
		json_decref(value);
}

/* Removes empty maps and lists in the metadata. */
static void drop_empty(json_t *metadata)
{
	static const char *const members[] = { "labels", "annotations", "finalizers",
					       "ownerReferences" };

	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		const json_t *member = json_object_get(metadata, members[i]);
		if (member != NULL && json_object_size(member) + json_array_size(member) == 0)
			json_object_del(metadata, members[i]);
	}
}

/* ---- pods ------------------------------------------------------------------------------------ */

/* Images with the tag "latest", or without tag and digest, are pulled for every container. */
static const char *pull_policy(const char *image)
{
	const char *last = strrchr(image, '/');
	const char *tag = strchr(last != NULL ? last : image, ':');

	if (strchr(image, '@') != NULL)
		return "IfNotPresent";
	return tag == NULL || strcmp(tag, ":latest") == 0 ? "Always" : "IfNotPresent";
}

/* A limit without a request also becomes the request. */
static void default_requests(json_t *container)
{
	const char *name;
	json_t *limit;

	json_object_foreach(json_path(container, "resources.limits"), name, limit)
	{
		char path[160];
		snprintf(path, sizeof(path), "resources.requests");
		json_t *requests = json_path(container, path);
		if (requests == NULL) {
			requests = json_object();
			json_path_set(container, path, requests);
		}
		if (json_object_get(requests, name) == NULL)
			json_object_set(requests, name, limit);
	}
}

static void default_containers(json_t *containers, bool is_pod)
{
	size_t i;
	json_t *container;

	json_array_foreach(containers, i, container)
	{
		set_missing(container, "imagePullPolicy",
			    json_string(pull_policy(json_path_text(container, "image"))));
		if (is_pod)
			default_requests(container);
	}
}

static void default_pod_spec(json_t *spec, bool is_pod)
{
	const char *account = json_path_text(spec, "serviceAccountName");

	default_containers(json_object_get(spec, "containers"), is_pod);
	default_containers(json_object_get(spec, "initContainers"), is_pod);
	if (is_pod && account[0] == '\0')
		json_object_set_new(spec, "serviceAccountName", json_string("default"));
	account = json_path_text(spec, "serviceAccountName");
	if (account[0] != '\0')
		set_missing(spec, "serviceAccount", json_string(account));
	if (is_pod) {
		set_missing(spec, "enableServiceLinks", json_true());
		set_missing(spec, "preemptionPolicy", json_string("PreemptLowerPriority"));
		set_missing(spec, "priority", json_integer(0));
	}
}

static void fill_pod(struct sim *sim, const json_t *before, json_t *pod)
{
	(void)sim;
	(void)before;
	default_pod_spec(json_object_get(pod, "spec"), true);
	if (json_object_get(pod, "status") == NULL)
		json_object_set_new(
			pod, "status",
			json_pack("{s:s, s:s}", "phase", "Pending", "qosClass", "Burstable"));
}

static void fill_stateful_set(struct sim *sim, const json_t *before, json_t *set)
{
	(void)sim;
	(void)before;
	default_pod_spec(json_path(set, "spec.template.spec"), false);
	if (strcmp(json_path_text(set, "spec.updateStrategy.type"), "RollingUpdate") == 0)
		set_missing(set, "spec.updateStrategy.rollingUpdate.partition", json_integer(0));
	if (json_object_get(set, "status") == NULL)
		json_object_set_new(set, "status",
				    json_pack("{s:i, s:i}", "replicas", 0, "availableReplicas", 0));
}

/* ---- the others ------------------------------------------------------------------------------ */

static json_t *new_address(struct sim *sim)
{
	uint64_t number = ++sim->addresses;
	CLEANUP(cleanup_free)
	char *text = mem_printf("10.%u.%u.%u", 96 + (unsigned)(number >> 16 & 127),
				(unsigned)(number >> 8 & 255), (unsigned)(number & 255));

	return json_string(text);
}

static void fill_address(struct sim *sim, const json_t *before, json_t *spec)
{
	json_t *address = json_path(before, "spec.clusterIP");

	if (json_object_get(spec, "clusterIP") == NULL)
		json_object_set_new(spec, "clusterIP",
				    address != NULL ? json_incref(address) : new_address(sim));
	set_missing(spec, "clusterIPs", json_pack("[O]", json_object_get(spec, "clusterIP")));
	set_missing(spec, "ipFamilies", json_pack("[s]", "IPv4"));
	set_missing(spec, "ipFamilyPolicy", json_string("SingleStack"));
}

static void fill_service(struct sim *sim, const json_t *before, json_t *service)
{
	json_t *spec = json_object_get(service, "spec"), *port;
	size_t i;

	json_array_foreach(json_object_get(spec, "ports"), i, port)
	{
		json_t *target = json_object_get(port, "targetPort");
		if (target == NULL)
			json_object_set(port, "targetPort", json_object_get(port, "port"));
	}
	if (strcmp(json_path_text(service, "spec.type"), "ExternalName") != 0)
		fill_address(sim, before, spec);
	set_missing(service, "status.loadBalancer", json_object());
}

static void fill_ingress(struct sim *sim, const json_t *before, json_t *ingress)
{
	(void)sim;
	(void)before;
	set_missing(ingress, "status.loadBalancer", json_object());
}

/* Without types, a policy has ingress rules, and egress rules if any are given. */
static void fill_network_policy(struct sim *sim, const json_t *before, json_t *policy)
{
	json_t *types = json_pack("[s]", "Ingress");

	(void)sim;
	(void)before;
	if (json_path(policy, "spec.egress") != NULL)
		json_array_append_new(types, json_string("Egress"));
	set_missing(policy, "spec.policyTypes", types);
}

static void fill_secret(struct sim *sim, const json_t *before, json_t *secret)
{
	const char *key;
	json_t *value;

	(void)sim;
	(void)before;
	json_object_foreach(json_object_get(secret, "stringData"), key, value)
	{
		CLEANUP(cleanup_free)
		char *encoded = base64_encode(json_string_value(value), json_string_length(value));
		if (json_object_get(secret, "data") == NULL)
			json_object_set_new(secret, "data", json_object());
		json_object_set_new(json_object_get(secret, "data"), key, json_string(encoded));
	}
	json_object_del(secret, "stringData");
}

static void fill_claim(struct sim *sim, const json_t *before, json_t *claim)
{
	(void)sim;
	if (before != NULL)
		return;
	set_missing(claim, "spec.storageClassName", json_string("standard"));
	set_missing(claim, "status.phase", json_string("Pending"));
	set_missing(claim, "metadata.finalizers", json_pack("[s]", "kubernetes.io/pvc-protection"));
}

static void fill_namespace(struct sim *sim, const json_t *before, json_t *namespace)
{
	const char *name = json_path_text(namespace, "metadata.name");
	json_t *labels = json_path(namespace, "metadata.labels");

	(void)sim;
	(void)before;
	if (labels == NULL) {
		labels = json_object();
		json_path_set(namespace, "metadata.labels", labels);
	}
	json_object_set_new(labels, "kubernetes.io/metadata.name", json_string(name));
	set_missing(namespace, "spec", json_pack("{s:[s]}", "finalizers", "kubernetes"));
	set_missing(namespace, "status", json_pack("{s:s}", "phase", "Active"));
}

static void fill_role_binding(struct sim *sim, const json_t *before, json_t *binding)
{
	size_t i;
	json_t *subject;

	(void)sim;
	(void)before;
	set_missing(binding, "roleRef.apiGroup", json_string("rbac.authorization.k8s.io"));
	json_array_foreach(json_object_get(binding, "subjects"), i, subject)
	{
		if (strcmp(json_path_text(subject, "kind"), "ServiceAccount") != 0)
			set_missing(subject, "apiGroup", json_string("rbac.authorization.k8s.io"));
	}
}

static void fill_event(struct sim *sim, const json_t *before, json_t *event)
{
	(void)sim;
	(void)before;
	set_missing(event, "eventTime", json_null());
	set_missing(event, "reportingComponent", json_string(""));
	set_missing(event, "reportingInstance", json_string(""));
}

typedef void fill_fn(struct sim *sim, const json_t *before, json_t *object);

static fill_fn *const fills[KIND_COUNT] = {
	[KIND_NAMESPACE] = fill_namespace,
	[KIND_STATEFULSET] = fill_stateful_set,
	[KIND_POD] = fill_pod,
	[KIND_SERVICE] = fill_service,
	[KIND_INGRESS] = fill_ingress,
	[KIND_NETWORK_POLICY] = fill_network_policy,
	[KIND_SECRET] = fill_secret,
	[KIND_CLAIM] = fill_claim,
	[KIND_EVENT] = fill_event,
	[KIND_ROLE_BINDING] = fill_role_binding,
};

void defaults_fill(struct sim *sim, const struct kind *kind, const json_t *before, json_t *object)
{
	if (!kind->is_custom)
		set_missing(object, "metadata", json_object());
	drop_empty(json_object_get(object, "metadata"));
	drop_empty(json_path(object, "spec.template.metadata"));
	schema_default(kind->schema, object);
	if (fills[kind->id] != NULL)
		fills[kind->id](sim, before, object);
}
