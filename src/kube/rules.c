#include "kube/rules.h"

#include <string.h>

#include "kube/resource.h"

/* How many are read: a longer list is not about us. The longest of Kubernetes' own has 60. */
enum { RULES_MAX = 1000, NAMES_MAX = 200 };

static bool lists(const json_t *rule, const char *member, const char *name, size_t length)
{
	const json_t *names = json_object_get(rule, member);

	for (size_t i = 0; i < json_array_size(names) && i < NAMES_MAX; i++) {
		const char *text = json_string_value(json_array_get(names, i));
		if (text != NULL && (strcmp(text, "*") == 0 ||
				     (strlen(text) == length && memcmp(text, name, length) == 0)))
			return true;
	}
	return false;
}

static bool covers(const json_t *rule, const struct kube_resource_type *type, const char *verb)
{
	const char *slash = strchr(type->api_version, '/');
	size_t group = slash != NULL ? (size_t)(slash - type->api_version) : 0;

	return json_array_size(json_object_get(rule, "resourceNames")) == 0 &&
	       lists(rule, "verbs", verb, strlen(verb)) &&
	       lists(rule, "apiGroups", type->api_version, group) &&
	       lists(rule, "resources", type->plural, strlen(type->plural));
}

static const json_t *rules_of(const json_t *review)
{
	return json_object_get(json_object_get(review, "status"), "resourceRules");
}

bool kube_rules_allow(const json_t *review, enum kube_resource resource, const char *verb)
{
	const json_t *rules = rules_of(review);

	for (size_t i = 0; i < json_array_size(rules) && i < RULES_MAX; i++) {
		if (covers(json_array_get(rules, i), kube_resource_type(resource), verb))
			return true;
	}
	return false;
}

bool kube_rules_complete(const json_t *review)
{
	return json_is_false(json_object_get(json_object_get(review, "status"), "incomplete")) &&
	       json_array_size(rules_of(review)) <= RULES_MAX;
}
