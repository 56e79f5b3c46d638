#include <stdint.h>
#include <string.h>

#include "base/cleanup.h"
#include "manifest/manifest.h"
#include "base/quantity.h"

const char *manifest_hash(const json_t *object)
{
	const json_t *annotations =
		json_object_get(json_object_get(object, "metadata"), "annotations");
	const char *hash =
		json_string_value(json_object_get(annotations, MANIFEST_ANNOTATION_HASH));

	return hash != NULL ? hash : "";
}

/* The members whose strings are quantities. Anywhere else "1000m" and "1" are two things. */
static bool is_quantity(const char *member)
{
	static const char *const members[] = { "cpu", "memory", "ephemeral-storage", "storage" };

	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		if (strcmp(members[i], member) == 0)
			return true;
	}
	return false;
}

/* What the API server leaves out. Not false and not 0: where those are left out, they are the
 * default, but where they are not, their absence means something else (a pod without
 * automountServiceAccountToken has the token). */
static bool is_empty(const json_t *value)
{
	return value == NULL || json_is_null(value) ||
	       (json_is_string(value) && json_string_length(value) == 0) ||
	       (json_is_array(value) && json_array_size(value) == 0) ||
	       (json_is_object(value) && json_object_size(value) == 0);
}

/* jansson cannot iterate over a const object, though it does not change it. */
static json_t *iterable(const json_t *object)
{
	return (json_t *)(uintptr_t)object;
}

static bool covers(const char *member, const json_t *live, const json_t *wanted);

static bool covers_members(const json_t *live, const json_t *wanted)
{
	const char *member;
	json_t *value;

	json_object_foreach(iterable(wanted), member, value)
	{
		if (!covers(member, json_object_get(live, member), value))
			return false;
	}
	return true;
}

static bool covers_items(const json_t *live, const json_t *wanted)
{
	size_t count = json_array_size(wanted);

	if (json_array_size(live) != count)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (!covers("", json_array_get(live, i), json_array_get(wanted, i)))
			return false;
	}
	return true;
}

static bool covers_string(const char *member, const json_t *live, const json_t *wanted)
{
	return json_equal(live, wanted) ||
	       (is_quantity(member) &&
		quantity_equal(json_string_value(live), json_string_value(wanted)));
}

/* `member`: under which name it is there, "" in an array. */
static bool covers(const char *member, const json_t *live, const json_t *wanted)
{
	if (is_empty(wanted) && is_empty(live))
		return true;
	if (live == NULL || json_typeof(live) != json_typeof(wanted))
		return false;
	if (json_is_object(wanted))
		return covers_members(live, wanted);
	if (json_is_array(wanted))
		return covers_items(live, wanted);
	if (json_is_string(wanted))
		return covers_string(member, live, wanted);
	return json_equal(live, wanted);
}

bool manifest_covers(const json_t *live, const json_t *wanted)
{
	const char *member;
	json_t *value;

	json_object_foreach(iterable(wanted), member, value)
	{
		/* The items of a list do not say what they are. */
		if (strcmp(member, "apiVersion") == 0 || strcmp(member, "kind") == 0)
			continue;
		if (!covers(member, json_object_get(live, member), value))
			return false;
	}
	return true;
}

/* The claims of a StatefulSet cannot be changed; the launchpad's word on their size goes with
 * them. */
static void keep_claims(json_t *wanted, const json_t *live)
{
	static const char resize[] = "deploy.cloud.sealos.io/resize";
	const json_t *claims =
		json_object_get(json_object_get(live, "spec"), "volumeClaimTemplates");
	json_t *size = json_object_get(
		json_object_get(json_object_get(live, "metadata"), "annotations"), resize);

	if (claims == NULL)
		return;
	json_object_set_new(json_object_get(wanted, "spec"), "volumeClaimTemplates",
			    json_deep_copy(claims));
	json_object_set(json_object_get(json_object_get(wanted, "metadata"), "annotations"), resize,
			size);
}

/* spec.componentSpecs[0].volumeClaimTemplates[0].spec of a Cluster. */
static json_t *database_claim(const json_t *cluster)
{
	const json_t *components =
		json_object_get(json_object_get(cluster, "spec"), "componentSpecs");
	const json_t *claims =
		json_object_get(json_array_get(components, 0), "volumeClaimTemplates");

	return json_object_get(json_array_get(claims, 0), "spec");
}

/* KubeBlocks can make a claim larger, but cannot move it to another class. */
static void keep_storage_class(json_t *wanted, const json_t *live)
{
	static const char member[] = "storageClassName";
	json_t *from = database_claim(live), *to = database_claim(wanted);
	json_t *storage_class = json_object_get(from, member);

	if (storage_class != NULL)
		json_object_set(to, member, storage_class);
	else if (from != NULL)
		json_object_del(to, member);
}

void manifest_keep_immutable(json_t *wanted, const json_t *live)
{
	const char *kind = json_string_value(json_object_get(wanted, "kind"));

	if (kind != NULL && strcmp(kind, "StatefulSet") == 0)
		keep_claims(wanted, live);
	else if (kind != NULL && strcmp(kind, "Cluster") == 0)
		keep_storage_class(wanted, live);
}
