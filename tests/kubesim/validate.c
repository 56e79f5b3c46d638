#include "validate.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "crypto/token.h"
#include "names.h"
#include "object.h"
#include "quantity.h"

#define REQUIRED  "FieldValueRequired"
#define INVALID   "FieldValueInvalid"
#define FORBIDDEN "FieldValueForbidden"
#define UNKNOWN   "FieldValueNotSupported"
#define NOT_FOUND "FieldValueNotFound"

enum { FIELD_MAX = 256, SECRET_MAX = 1 << 20, ANNOTATIONS_MAX = 256 * 1024 };

typedef void validate_fn(const json_t *before, const json_t *after, struct refusal *r);

/* ---- metadata ---------------------------------------------------------------------------------
 */

static enum name_form name_form_of(enum kind_id kind)
{
	switch (kind) {
	case KIND_SERVICE:
	case KIND_STATEFULSET:
	case KIND_NAMESPACE:
		return NAME_LABEL;
	case KIND_ROLE:
	case KIND_ROLE_BINDING:
		return NAME_PATH_SEGMENT;
	default:
		return NAME_SUBDOMAIN;
	}
}

static void check_labels(const json_t *labels, const char *field, struct refusal *r)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)labels, key, value)
	{
		const char *text = json_is_string(value) ? json_string_value(value) : "";
		const char *fault = name_check(NAME_QUALIFIED, key);
		if (fault != NULL)
			refuse_invalid_field(r, INVALID, field, "\"%.300s\": %s", key, fault);
		fault = name_check(NAME_LABEL_VALUE, text);
		if (fault != NULL)
			refuse_invalid_field(r, INVALID, field, "\"%.300s\": %s", text, fault);
	}
}

static void check_annotations(const json_t *annotations, struct refusal *r)
{
	const char *key;
	json_t *value;
	size_t size = 0;

	json_object_foreach((json_t *)(uintptr_t)annotations, key, value)
	{
		size += strlen(key) + json_string_length(value);
	}
	if (size > ANNOTATIONS_MAX)
		refuse_invalid_field(r, "FieldValueTooLong", "metadata.annotations",
				     "may not be more than %d bytes", ANNOTATIONS_MAX);
}

static void check_metadata(const struct kind *kind, const json_t *object, struct refusal *r)
{
	const char *name = json_path_text(object, "metadata.name");
	const char *fault;

	if (name[0] == '\0') {
		refuse_invalid_field(r, REQUIRED, "metadata.name",
				     "name or generateName is required");
		return;
	}
	fault = name_check(name_form_of(kind->id), name);
	if (fault != NULL)
		refuse_invalid_field(r, INVALID, "metadata.name", "\"%.300s\": %s", name, fault);
	check_labels(json_path(object, "metadata.labels"), "metadata.labels", r);
	check_annotations(json_path(object, "metadata.annotations"), r);
}

/* ---- pods -------------------------------------------------------------------------------------
 */

static void check_resources(const json_t *container, const char *at, struct refusal *r)
{
	const char *name;
	json_t *request;
	char field[FIELD_MAX];

	json_object_foreach(json_path(container, "resources.requests"), name, request)
	{
		const json_t *limit =
			json_object_get(json_path(container, "resources.limits"), name);
		long long asked, allowed;
		if (!quantity_milli(json_string_value(request), &asked) || limit == NULL ||
		    !quantity_milli(json_string_value(limit), &allowed) || asked <= allowed)
			continue;
		snprintf(field, sizeof(field), "%.180s.resources.requests", at);
		refuse_invalid_field(r, INVALID, field,
				     "\"%s\": must be less than or equal to %s limit of %s",
				     json_string_value(request), name, json_string_value(limit));
	}
}

/* Volumes by name: those of the pod, and the claims that a StatefulSet gives it. */
struct volumes {
	const json_t *own, *claims;
};

static bool has_volume(const struct volumes *v, const char *name)
{
	size_t i;
	json_t *volume;

	json_array_foreach(v->own, i, volume)
	{
		if (strcmp(json_path_text(volume, "name"), name) == 0)
			return true;
	}
	json_array_foreach(v->claims, i, volume)
	{
		if (strcmp(json_path_text(volume, "metadata.name"), name) == 0)
			return true;
	}
	return false;
}

static void check_mounts(const json_t *container, const struct volumes *volumes, const char *at,
			 struct refusal *r)
{
	size_t i;
	json_t *mount;
	char field[FIELD_MAX];

	json_array_foreach(json_object_get(container, "volumeMounts"), i, mount)
	{
		const char *name = json_path_text(mount, "name");
		snprintf(field, sizeof(field), "%.150s.volumeMounts[%zu].name", at, i);
		if (!has_volume(volumes, name))
			refuse_invalid_field(r, NOT_FOUND, field, "\"%.100s\"", name);
	}
}

static void check_container(const json_t *container, const struct volumes *volumes, const char *at,
			    struct refusal *r)
{
	char field[FIELD_MAX];
	const char *name = json_path_text(container, "name");
	const char *fault = name_check(NAME_LABEL, name);

	snprintf(field, sizeof(field), "%.200s.name", at);
	if (name[0] == '\0')
		refuse_invalid_field(r, REQUIRED, field, "%s", "");
	else if (fault != NULL)
		refuse_invalid_field(r, INVALID, field, "\"%.100s\": %s", name, fault);
	snprintf(field, sizeof(field), "%.200s.image", at);
	if (json_path_text(container, "image")[0] == '\0')
		refuse_invalid_field(r, REQUIRED, field, "%s", "");
	check_resources(container, at, r);
	check_mounts(container, volumes, at, r);
}

static void check_containers(const json_t *spec, const json_t *claims, const char *prefix,
			     struct refusal *r)
{
	const struct volumes volumes = { json_object_get(spec, "volumes"), claims };
	const json_t *containers = json_object_get(spec, "containers");
	size_t i;
	json_t *container;
	char at[FIELD_MAX];

	snprintf(at, sizeof(at), "%s.containers", prefix);
	if (json_array_size(containers) == 0)
		refuse_invalid_field(r, REQUIRED, at, "%s", "");
	json_array_foreach(containers, i, container)
	{
		snprintf(at, sizeof(at), "%s.containers[%zu]", prefix, i);
		check_container(container, &volumes, at, r);
	}
}

static void check_pod(const json_t *before, const json_t *after, struct refusal *r)
{
	const json_t *containers = json_path(after, "spec.containers");

	if (before != NULL) {
		if (!json_equal(json_path(before, "spec.containers"), containers))
			refuse_invalid_field(r, FORBIDDEN, "spec",
					     "pod updates may not change fields other than "
					     "`spec.containers[*].image`,"
					     "`spec.initContainers[*].image`,"
					     "`spec.activeDeadlineSeconds`,`spec.tolerations` "
					     "(only additions to existing tolerations),"
					     "`spec.terminationGracePeriodSeconds` (allow it to be "
					     "set to 1 if it was previously negative)");
		return;
	}
	check_containers(json_object_get(after, "spec"), NULL, "spec", r);
}

/* ---- StatefulSets -----------------------------------------------------------------------------
 */

static const char *const mutable_spec[] = {
	"replicas",
	"ordinals",
	"template",
	"updateStrategy",
	"revisionHistoryLimit",
	"persistentVolumeClaimRetentionPolicy",
	"minReadySeconds",
};

static json_t *immutable_part(const json_t *object)
{
	json_t *spec = json_copy(json_object_get(object, "spec"));

	for (size_t i = 0; i < ARRAY_SIZE(mutable_spec); i++)
		json_object_del(spec, mutable_spec[i]);
	return spec;
}

static void check_choice(const json_t *object, const char *path, const char *const *choices,
			 struct refusal *r)
{
	const char *value = json_path_text(object, path);
	char list[256] = "";

	for (const char *const *choice = choices; *choice != NULL; choice++) {
		if (strcmp(value, *choice) == 0)
			return;
		size_t length = strlen(list);
		snprintf(list + length, sizeof(list) - length, "%s\"%s\"", length > 0 ? ", " : "",
			 *choice);
	}
	refuse_invalid_field(r, UNKNOWN, path, "\"%.100s\": supported values: %s", value, list);
}

static void check_selector(const json_t *set, struct refusal *r)
{
	const char *key;
	json_t *value;
	const json_t *labels = json_path(set, "spec.template.metadata.labels");

	bool matches = true;

	if (json_object_size(json_path(set, "spec.selector")) == 0) {
		refuse_invalid_field(r, REQUIRED, "spec.selector", "%s", "");
		matches = false;
	}
	json_object_foreach(json_path(set, "spec.selector.matchLabels"), key, value)
	{
		matches = matches && json_equal(json_object_get(labels, key), value);
	}
	if (matches)
		return;
	CLEANUP(cleanup_free) char *text = json_dumps(labels, JSON_COMPACT);
	refuse_invalid_field(r, INVALID, "spec.template.metadata.labels",
			     "%.400s: `selector` does not match template `labels`",
			     text != NULL ? text : "null");
}

static void check_stateful_set(const json_t *before, const json_t *after, struct refusal *r)
{
	static const char *const restarts[] = { "Always", NULL };
	const char *management = json_path_text(after, "spec.podManagementPolicy");

	check_containers(json_path(after, "spec.template.spec"),
			 json_path(after, "spec.volumeClaimTemplates"), "spec.template.spec", r);

	if (before != NULL) {
		CLEANUP(json_decrefp) json_t *old = immutable_part(before);
		CLEANUP(json_decrefp) json_t *new = immutable_part(after);
		if (!json_equal(old, new))
			refuse_invalid_field(
				r, FORBIDDEN, "spec",
				"updates to statefulset spec for fields other than 'replicas', "
				"'ordinals', 'template', 'updateStrategy', "
				"'revisionHistoryLimit', "
				"'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are "
				"forbidden");
		return;
	}
	check_selector(after, r);
	if (strcmp(management, "OrderedReady") != 0 && strcmp(management, "Parallel") != 0)
		refuse_invalid_field(r, INVALID, "spec.podManagementPolicy",
				     "\"%.100s\": must be 'OrderedReady' or 'Parallel'",
				     management);
	check_choice(after, "spec.template.spec.restartPolicy", restarts, r);
	if (json_path_number(after, "spec.replicas", 0) < 0)
		refuse_invalid_field(r, INVALID, "spec.replicas",
				     "%lld: must be greater than or equal to 0",
				     json_path_number(after, "spec.replicas", 0));
}

/* ---- network ----------------------------------------------------------------------------------
 */

static void check_service_port(const json_t *port, size_t i, size_t count, struct refusal *r)
{
	long long number = json_path_number(port, "port", 0);
	long long target = json_path_number(port, "targetPort", 1);
	char field[FIELD_MAX];

	snprintf(field, sizeof(field), "spec.ports[%zu].name", i);
	if (count > 1 && json_path_text(port, "name")[0] == '\0')
		refuse_invalid_field(r, REQUIRED, field, "%s", "");
	snprintf(field, sizeof(field), "spec.ports[%zu].port", i);
	if (number < 1 || number > 65535)
		refuse_invalid_field(r, INVALID, field,
				     "%lld: must be between 1 and 65535, inclusive", number);
	snprintf(field, sizeof(field), "spec.ports[%zu].targetPort", i);
	if (target < 1 || target > 65535)
		refuse_invalid_field(r, INVALID, field,
				     "%lld: must be between 1 and 65535, inclusive", target);
}

static void check_service(const json_t *before, const json_t *after, struct refusal *r)
{
	static const char *const types[] = { "ClusterIP", "ExternalName", "LoadBalancer",
					     "NodePort", NULL };
	const json_t *ports = json_path(after, "spec.ports");
	size_t i;
	json_t *port;

	if (json_array_size(ports) == 0 &&
	    strcmp(json_path_text(after, "spec.clusterIP"), "None") != 0)
		refuse_invalid_field(r, REQUIRED, "spec.ports", "%s", "");
	json_array_foreach(ports, i, port)
	{
		check_service_port(port, i, json_array_size(ports), r);
	}
	check_choice(after, "spec.type", types, r);
	if (before != NULL &&
	    !json_equal(json_path(before, "spec.clusterIP"), json_path(after, "spec.clusterIP")))
		refuse_invalid_field(r, INVALID, "spec.clusterIPs[0]",
				     "[\"%.60s\"]: may not change once set",
				     json_path_text(after, "spec.clusterIP"));
}

static void check_ingress_path(const json_t *path, const char *at, struct refusal *r)
{
	char field[FIELD_MAX];

	snprintf(field, sizeof(field), "%.200s.pathType", at);
	if (json_path_text(path, "pathType")[0] == '\0')
		refuse_invalid_field(r, REQUIRED, field, "pathType must be specified");
	snprintf(field, sizeof(field), "%.200s.path", at);
	if (json_path_text(path, "path")[0] != '/')
		refuse_invalid_field(r, INVALID, field, "\"%.100s\": must be an absolute path",
				     json_path_text(path, "path"));
	snprintf(field, sizeof(field), "%.200s.backend", at);
	if (json_path(path, "backend.service") == NULL &&
	    json_path(path, "backend.resource") == NULL)
		refuse_invalid_field(r, REQUIRED, field, "%s", "");
}

static void check_ingress(const json_t *before, const json_t *after, struct refusal *r)
{
	const json_t *rules = json_path(after, "spec.rules");
	size_t i, j;
	json_t *rule, *path;
	char field[FIELD_MAX];

	(void)before;
	if (json_array_size(rules) == 0 && json_path(after, "spec.defaultBackend") == NULL)
		refuse_invalid_field(r, INVALID, "spec",
				     "null: either `defaultBackend` or `rules` must be specified");
	json_array_foreach(rules, i, rule)
	{
		const char *host = json_path_text(rule, "host");
		const char *from = strncmp(host, "*.", 2) == 0 ? host + 2 : host;
		const char *fault = host[0] != '\0' ? name_check(NAME_SUBDOMAIN, from) : NULL;
		snprintf(field, sizeof(field), "spec.rules[%zu].host", i);
		if (fault != NULL)
			refuse_invalid_field(r, INVALID, field, "\"%.253s\": %s", host, fault);
		json_array_foreach(json_path(rule, "http.paths"), j, path)
		{
			snprintf(field, sizeof(field), "spec.rules[%zu].http.paths[%zu]", i, j);
			check_ingress_path(path, field, r);
		}
	}
}

/* ---- the rest ---------------------------------------------------------------------------------
 */

static void check_secret(const json_t *before, const json_t *after, struct refusal *r)
{
	const char *key;
	json_t *value;
	size_t size = 0;
	char field[FIELD_MAX + 16];

	json_object_foreach(json_object_get(after, "data"), key, value)
	{
		const char *fault = name_check(NAME_CONFIG_KEY, key);
		snprintf(field, sizeof(field), "data[%.250s]", key);
		if (fault != NULL)
			refuse_invalid_field(r, INVALID, field, "\"%.250s\": %s", key, fault);
		size += json_string_length(value) / 4 * 3;
	}
	if (size > SECRET_MAX)
		refuse_invalid_field(r, "FieldValueTooLong", "data",
				     "may not be more than %d bytes", SECRET_MAX);
	if (before != NULL &&
	    !json_equal(json_object_get(before, "type"), json_object_get(after, "type")))
		refuse_invalid_field(r, INVALID, "type", "\"%.100s\": field is immutable",
				     json_path_text(after, "type"));
}

static json_t *claim_immutable(const json_t *claim)
{
	json_t *spec = json_deep_copy(json_object_get(claim, "spec"));

	json_object_del(json_path(spec, "resources.requests"), "storage");
	json_object_del(spec, "volumeAttributesClassName");
	return spec;
}

static void check_claim(const json_t *before, const json_t *after, struct refusal *r)
{
	if (before != NULL) {
		CLEANUP(json_decrefp) json_t *old = claim_immutable(before);
		CLEANUP(json_decrefp) json_t *new = claim_immutable(after);
		if (!json_equal(old, new))
			refuse_invalid_field(r, FORBIDDEN, "spec",
					     "spec is immutable after creation except "
					     "resources.requests and volumeAttributesClassName for "
					     "bound claims");
		return;
	}
	if (json_array_size(json_path(after, "spec.accessModes")) == 0)
		refuse_invalid_field(r, REQUIRED, "spec.accessModes",
				     "at least 1 access mode is required");
	if (json_path(after, "spec.resources.requests.storage") == NULL)
		refuse_invalid_field(r, REQUIRED, "spec.resources[storage]", "%s", "");
}

static void check_role_binding(const json_t *before, const json_t *after, struct refusal *r)
{
	if (json_path_text(after, "roleRef.name")[0] == '\0')
		refuse_invalid_field(r, REQUIRED, "roleRef.name", "%s", "");
	if (before != NULL &&
	    !json_equal(json_object_get(before, "roleRef"), json_object_get(after, "roleRef"))) {
		CLEANUP(json_decrefp)
		json_t *shown = json_pack("{s:s, s:s, s:s}", "APIGroup",
					  json_path_text(after, "roleRef.apiGroup"), "Kind",
					  json_path_text(after, "roleRef.kind"), "Name",
					  json_path_text(after, "roleRef.name"));
		CLEANUP(cleanup_free) char *text = json_dumps(shown, JSON_COMPACT);
		refuse_invalid_field(r, INVALID, "roleRef", "%.300s: cannot change roleRef", text);
	}
}

static void check_network_policy(const json_t *before, const json_t *after, struct refusal *r)
{
	size_t i;
	json_t *type;
	char field[FIELD_MAX];

	(void)before;
	json_array_foreach(json_path(after, "spec.policyTypes"), i, type)
	{
		const char *text = json_string_value(type);
		snprintf(field, sizeof(field), "spec.policyTypes[%zu]", i);
		if (strcmp(text, "Ingress") != 0 && strcmp(text, "Egress") != 0)
			refuse_invalid_field(r, UNKNOWN, field,
					     "\"%.60s\": supported values: \"Ingress\", \"Egress\"",
					     text);
	}
}

/* What the definition's schema says: tools/cluster/kubeblocks/crd.yaml. */
static void check_component(const json_t *component, size_t i, struct refusal *r)
{
	static const char *const switches[] = { "MaximumAvailability", "MaximumDataProtection",
						"Noop", NULL };
	const char *name = json_path_text(component, "name");
	char field[FIELD_MAX];

	snprintf(field, sizeof(field), "spec.componentSpecs[%zu].name", i);
	if (name[0] == '\0')
		refuse_invalid_field(r, REQUIRED, field, "%s", "");
	else if (strlen(name) > 22)
		refuse_invalid_field(r, "FieldValueTooLong", field,
				     "may not be more than 22 bytes");
	else if (name_check(NAME_LABEL_1035, name) != NULL)
		refuse_invalid_field(r, INVALID, field,
				     "\"%.60s\": %s in body should match "
				     "'^[a-z]([a-z0-9\\-]*[a-z0-9])?$'",
				     name, field);
	if (json_path(component, "switchPolicy.type") != NULL)
		check_choice(component, "switchPolicy.type", switches, r);
}

/* After some faults the definition's own rules are not looked at, which is one more. */
static void note_unchecked(struct refusal *r)
{
	size_t i;
	json_t *cause;

	json_array_foreach(r->causes, i, cause)
	{
		if (strcmp(json_path_text(cause, "reason"), INVALID) == 0)
			continue;
		refuse_invalid_field(r, INVALID, "<nil>",
				     "null: some validation rules were not checked because the "
				     "object was invalid; correct the existing errors to complete "
				     "validation");
		return;
	}
}

static void check_cluster(const json_t *before, const json_t *after, struct refusal *r)
{
	static const char *const policies[] = { "DoNotTerminate", "Halt", "Delete", "WipeOut",
						NULL };
	static const char *const tenancies[] = { "SharedNode", "DedicatedNode", NULL };
	static const char *const affinities[] = { "Preferred", "Required", NULL };
	const char *version = json_path_text(after, "spec.clusterVersionRef");
	size_t i;
	json_t *component;

	if (json_path(after, "spec.terminationPolicy") == NULL)
		refuse_invalid_field(r, REQUIRED, "spec.terminationPolicy", "%s", "");
	else
		check_choice(after, "spec.terminationPolicy", policies, r);
	if (version[0] != '\0' && name_check(NAME_SUBDOMAIN, version) != NULL)
		refuse_invalid_field(r, INVALID, "spec.clusterVersionRef",
				     "\"%.100s\": spec.clusterVersionRef in body should match "
				     "'^[a-z0-9]([a-z0-9\\.\\-]*[a-z0-9])?$'",
				     version);
	if (json_path(after, "spec.affinity.tenancy") != NULL)
		check_choice(after, "spec.affinity.tenancy", tenancies, r);
	if (json_path(after, "spec.affinity.podAntiAffinity") != NULL)
		check_choice(after, "spec.affinity.podAntiAffinity", affinities, r);
	json_array_foreach(json_path(after, "spec.componentSpecs"), i, component)
	{
		check_component(component, i, r);
	}
	if (before != NULL && !json_equal(json_path(before, "spec.clusterDefinitionRef"),
					  json_path(after, "spec.clusterDefinitionRef")))
		refuse_invalid_field(r, INVALID, "spec.clusterDefinitionRef",
				     "\"%.100s\": clusterDefinitionRef is immutable",
				     json_path_text(after, "spec.clusterDefinitionRef"));
	note_unchecked(r);
}

/* ---- all --------------------------------------------------------------------------------------
 */

static validate_fn *const checks[KIND_COUNT] = {
	[KIND_STATEFULSET] = check_stateful_set,
	[KIND_POD] = check_pod,
	[KIND_SERVICE] = check_service,
	[KIND_INGRESS] = check_ingress,
	[KIND_NETWORK_POLICY] = check_network_policy,
	[KIND_SECRET] = check_secret,
	[KIND_CLAIM] = check_claim,
	[KIND_ROLE_BINDING] = check_role_binding,
	[KIND_CLUSTER] = check_cluster,
};

int validate(const struct kind *kind, const json_t *before, const json_t *after, struct refusal *r)
{
	struct refusal found;

	refuse_invalid_begin(&found);
	check_metadata(kind, after, &found);
	if (checks[kind->id] != NULL)
		checks[kind->id](before, after, &found);
	if (refuse_invalid_end(&found, kind, json_path_text(after, "metadata.name")) == 0)
		return 0;
	*r = found;
	return -1;
}

int validate_decoding(const struct kind *kind, const json_t *object, struct refusal *r)
{
	const char *key;
	json_t *value;

	if (kind->id != KIND_SECRET)
		return 0;
	json_object_foreach(json_object_get(object, "data"), key, value)
	{
		CLEANUP(buf_release) struct buf data = BUF_INIT(2 * SECRET_MAX);
		const char *text = json_is_string(value) ? json_string_value(value) : "";
		if (!base64_decode(BASE64_STANDARD, text, strlen(text), &data))
			return refuse_bad_request(r,
						  "Secret in version \"v1\" cannot be handled as a "
						  "Secret: illegal base64 data at input byte %zu",
						  strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefgh"
							       "ijklmnopqrstuvwxyz0123456789+/"));
	}
	return 0;
}
