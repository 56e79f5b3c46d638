#include "admission.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "quantity.h"

/* ---- LimitRange ------------------------------------------------------------------------------ */

static void fill_missing(json_t *container, const char *part, const json_t *defaults)
{
	const char *name;
	json_t *value;
	json_t *resources = json_object_get(container, "resources");

	if (resources == NULL || json_object_size(defaults) == 0)
		return;
	if (json_object_get(resources, part) == NULL)
		json_object_set_new(resources, part, json_object());
	json_object_foreach((json_t *)(uintptr_t)defaults, name, value)
	{
		json_t *quantities = json_object_get(resources, part);
		if (json_object_get(quantities, name) == NULL)
			json_object_set(quantities, name, value);
	}
}

static void apply_limit(json_t *pod, const json_t *limit)
{
	size_t i;
	json_t *container;

	if (strcmp(json_path_text(limit, "type"), "Container") != 0)
		return;
	json_array_foreach(json_path(pod, "spec.containers"), i, container)
	{
		fill_missing(container, "limits", json_object_get(limit, "default"));
		fill_missing(container, "requests", json_object_get(limit, "defaultRequest"));
	}
}

static void apply_limit_ranges(const struct sim *sim, const char *namespace, json_t *pod)
{
	size_t count, i, j;
	CLEANUP(cleanup_free)
	struct object **ranges = store_list(sim->store, KIND_LIMIT_RANGE, namespace, NULL, &count);

	for (i = 0; i < count; i++) {
		CLEANUP(json_decrefp) json_t *range = object_json(ranges[i]);
		json_t *limit;
		json_array_foreach(json_path(range, "spec.limits"), j, limit)
		{
			apply_limit(pod, limit);
		}
	}
}

/* ---- Pod Security ---------------------------------------------------------------------------- */

struct violations {
	char text[1024];
};

static void violate(struct violations *v, const char *rule, const char *containers,
		    const char *must)
{
	size_t length = strlen(v->text);

	snprintf(v->text + length, sizeof(v->text) - length, "%s%s (%s %s)", length > 0 ? ", " : "",
		 rule, containers, must);
}

typedef bool security_fn(const json_t *pod, const json_t *container);

static bool is_privileged(const json_t *pod, const json_t *container)
{
	(void)pod;
	return json_is_true(json_path(container, "securityContext.privileged"));
}

static bool may_escalate(const json_t *pod, const json_t *container)
{
	(void)pod;
	return !json_is_false(json_path(container, "securityContext.allowPrivilegeEscalation"));
}

static bool keeps_capabilities(const json_t *pod, const json_t *container)
{
	size_t i;
	json_t *dropped;

	(void)pod;
	json_array_foreach(json_path(container, "securityContext.capabilities.drop"), i, dropped)
	{
		if (strcmp(json_string_value(dropped), "ALL") == 0)
			return false;
	}
	return true;
}

static bool may_be_root(const json_t *pod, const json_t *container)
{
	const json_t *own = json_path(container, "securityContext.runAsNonRoot");

	if (own != NULL)
		return !json_is_true(own);
	return !json_is_true(json_path(pod, "spec.securityContext.runAsNonRoot"));
}

static bool has_no_seccomp(const json_t *pod, const json_t *container)
{
	const char *type = json_path_text(container, "securityContext.seccompProfile.type");

	if (type[0] == '\0')
		type = json_path_text(pod, "spec.securityContext.seccompProfile.type");
	return strcmp(type, "RuntimeDefault") != 0 && strcmp(type, "Localhost") != 0;
}

struct security_rule {
	bool restricted_only;
	security_fn *is_broken;
	const char *name, *subject, *must;
};

static const struct security_rule security_rules[] = {
	{ false, is_privileged, "privileged", "container",
	  "must not set securityContext.privileged=true" },
	{ true, may_escalate, "allowPrivilegeEscalation != false", "container",
	  "must set securityContext.allowPrivilegeEscalation=false" },
	{ true, keeps_capabilities, "unrestricted capabilities", "container",
	  "must set securityContext.capabilities.drop=[\"ALL\"]" },
	{ true, may_be_root, "runAsNonRoot != true", "pod or container",
	  "must set securityContext.runAsNonRoot=true" },
	{ true, has_no_seccomp, "seccompProfile", "pod or container",
	  "must set securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\"" },
};

static void check_rule(const struct security_rule *rule, const json_t *pod, struct violations *v)
{
	size_t i, hits = 0;
	json_t *container;
	char names[256] = "", subject[320];

	json_array_foreach(json_path(pod, "spec.containers"), i, container)
	{
		size_t length = strlen(names);
		if (!rule->is_broken(pod, container))
			continue;
		snprintf(names + length, sizeof(names) - length, "%s\"%.63s\"",
			 hits++ > 0 ? ", " : "", json_path_text(container, "name"));
	}
	snprintf(subject, sizeof(subject), "%s%s %s", rule->subject, hits > 1 ? "s" : "", names);
	if (hits > 0)
		violate(v, rule->name, subject, rule->must);
}

static int check_security(const struct sim *sim, const char *namespace, const json_t *pod,
			  struct refusal *r)
{
	const struct object *ns = store_get(sim->store, KIND_NAMESPACE, "", namespace);
	const char *level =
		ns != NULL ? object_label(ns, "pod-security.kubernetes.io/enforce") : NULL;
	struct violations v = { "" };

	if (level == NULL || strcmp(level, "privileged") == 0)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(security_rules); i++) {
		if (!security_rules[i].restricted_only || strcmp(level, "restricted") == 0)
			check_rule(&security_rules[i], pod, &v);
	}
	if (v.text[0] == '\0')
		return 0;
	return refuse_forbidden(r, kind_get(KIND_POD), json_path_text(pod, "metadata.name"),
				"violates PodSecurity \"%s:latest\": %s", level, v.text);
}

/* ---- ResourceQuota --------------------------------------------------------------------------- */

struct amount {
	const char *name;
	long long requested, used; /* thousandths */
};

static void add_usage(const struct sim *sim, enum kind_id kind, const char *namespace,
		      struct amount amounts[4])
{
	size_t count;
	CLEANUP(cleanup_free)
	struct object **objects = store_list(sim->store, kind, namespace, NULL, &count);

	for (size_t i = 0; i < count; i++) {
		amounts[0].used += objects[i]->usage.cpu;
		amounts[1].used += objects[i]->usage.memory;
		amounts[2].used += objects[i]->usage.storage;
		amounts[3].used += kind == KIND_POD ? 1000 : 0;
	}
}

static void write_amount(long long milli, char ret_text[QUANTITY_TEXT_MAX])
{
	char text[QUANTITY_TEXT_MAX];

	snprintf(text, sizeof(text), "%lldm", milli);
	if (milli % 1000 == 0 && (milli / 1000) % 1024 == 0 && milli != 0)
		snprintf(text, sizeof(text), "%lldKi", milli / 1000 / 1024);
	quantity_canonical_text(text, ret_text);
}

static int check_amount(const struct object *quota, const json_t *hard, const struct amount *a,
			const struct kind *kind, const char *name, struct refusal *r)
{
	const char *limit = json_string_value(json_object_get(hard, a->name));
	long long allowed;
	char requested[QUANTITY_TEXT_MAX], used[QUANTITY_TEXT_MAX];

	if (a->requested == 0 || !quantity_milli(limit, &allowed) ||
	    a->used + a->requested <= allowed)
		return 0;
	write_amount(a->requested, requested);
	write_amount(a->used, used);
	return refuse_forbidden(r, kind, name,
				"exceeded quota: %s, requested: %s=%s, used: %s=%s, limited: %s=%s",
				quota->name, a->name, requested, a->name, used, a->name, limit);
}

static int check_quota(const struct sim *sim, const struct kind *kind, const char *namespace,
		       const json_t *object, struct refusal *r)
{
	struct usage usage = usage_of(kind, object);
	struct amount amounts[4] = {
		{ "limits.cpu", usage.cpu, 0 },
		{ "limits.memory", usage.memory, 0 },
		{ "requests.storage", usage.storage, 0 },
		{ "pods", kind->id == KIND_POD ? 1000 : 0, 0 },
	};
	size_t count;
	CLEANUP(cleanup_free)
	struct object **quotas = store_list(sim->store, KIND_QUOTA, namespace, NULL, &count);

	if (count > 0)
		add_usage(sim, kind->id, namespace, amounts);
	for (size_t i = 0; i < count; i++) {
		CLEANUP(json_decrefp) json_t *quota = object_json(quotas[i]);
		for (size_t j = 0; j < ARRAY_SIZE(amounts); j++) {
			if (check_amount(quotas[i], json_path(quota, "spec.hard"), &amounts[j],
					 kind, json_path_text(object, "metadata.name"), r) < 0)
				return -1;
		}
	}
	return 0;
}

/* ---- all ------------------------------------------------------------------------------------- */

int admit_create(struct sim *sim, const struct kind *kind, json_t *object, struct refusal *r)
{
	const char *namespace = json_path_text(object, "metadata.namespace");

	if (kind->id != KIND_POD && kind->id != KIND_CLAIM)
		return 0;
	if (kind->id == KIND_POD) {
		apply_limit_ranges(sim, namespace, object);
		if (check_security(sim, namespace, object, r) < 0)
			return -1;
	}
	return check_quota(sim, kind, namespace, object, r);
}

int admit_debt(const struct sim *sim, const struct user *user, const struct kind *kind,
	       const char *namespace, const char *name, struct refusal *r)
{
	const struct object *ns = store_get(sim->store, KIND_NAMESPACE, "", namespace);
	const char *debt = ns != NULL ? object_label(ns, "debt.sealos/status") : NULL;

	if (debt == NULL || strcmp(debt, "Suspend") != 0 || user_is_admin(user))
		return 0;
	return refuse_forbidden(r, kind, name,
				"ValidatingAdmissionPolicy 'debt.sealos.io' with binding "
				"'debt.sealos.io' denied request: 40001: account balance less than "
				"0, now account is -1.00");
}
