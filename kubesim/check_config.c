#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "checks.h"
#include "names.h"
#include "object.h"

enum { SECRET_MAX = 1 << 20 };

void check_secret(const json_t *before, const json_t *after, struct refusal *r)
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

void check_role_binding(const json_t *before, const json_t *after, struct refusal *r)
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

/* As the definition's schema says: tools/cluster/kubeblocks/crd.yaml. */
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

/* After some errors, the API server does not evaluate the definition's rules, and reports that as a
 * further error. */
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

void check_cluster(const json_t *before, const json_t *after, struct refusal *r)
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
	if (before != NULL && strcmp(json_path_text(before, "spec.clusterDefinitionRef"),
				     json_path_text(after, "spec.clusterDefinitionRef")) != 0)
		refuse_invalid_field(r, INVALID, "spec.clusterDefinitionRef",
				     "\"%.100s\": clusterDefinitionRef is immutable",
				     json_path_text(after, "spec.clusterDefinitionRef"));
	note_unchecked(r);
}
