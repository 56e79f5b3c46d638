#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "checks.h"
#include "names.h"
#include "object.h"
#include "quantity.h"

/* ---- pods ------------------------------------------------------------------------------------ */

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

/* Volumes by name: the pod's own, and the claims from its StatefulSet. */
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

static void check_volumes(const json_t *volumes, const char *prefix, struct refusal *r)
{
	size_t i;
	json_t *volume;
	char at[FIELD_MAX];

	json_array_foreach(volumes, i, volume)
	{
		const char *name = json_path_text(volume, "name");
		const char *fault = name_check(NAME_LABEL, name);
		snprintf(at, sizeof(at), "%.200s.volumes[%zu].name", prefix, i);
		if (name[0] == '\0')
			refuse_invalid_field(r, REQUIRED, at, "%s", "");
		else if (fault != NULL)
			refuse_invalid_field(r, INVALID, at, "\"%.100s\": %s", name, fault);
	}
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
	check_volumes(volumes.own, prefix, r);
}

void check_pod(const json_t *before, const json_t *after, struct refusal *r)
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

/* ---- StatefulSets ---------------------------------------------------------------------------- */

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

void check_stateful_set(const json_t *before, const json_t *after, struct refusal *r)
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

/* ---- claims ---------------------------------------------------------------------------------- */

static json_t *claim_immutable(const json_t *claim)
{
	json_t *spec = json_deep_copy(json_object_get(claim, "spec"));

	json_object_del(json_path(spec, "resources.requests"), "storage");
	json_object_del(spec, "volumeAttributesClassName");
	return spec;
}

void check_claim(const json_t *before, const json_t *after, struct refusal *r)
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
