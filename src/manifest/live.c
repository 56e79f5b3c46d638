#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/json_at.h"
#include "base/cleanup.h"
#include "manifest/manifest.h"
#include "base/quantity.h"

enum { PATH_MAX_LENGTH = 256, DIFFERENCES_MAX = 32 };

const char *manifest_hash(const json_t *object)
{
	const json_t *annotations = json_at(object, "metadata.annotations");
	const char *hash =
		json_string_value(json_object_get(annotations, MANIFEST_ANNOTATION_HASH));

	return hash != NULL ? hash : "";
}

/* The members whose strings are quantities. Elsewhere "1000m" and "1" differ. */
static bool is_quantity(const char *member)
{
	static const char *const members[] = { "cpu", "memory", "ephemeral-storage", "storage" };

	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		if (strcmp(members[i], member) == 0)
			return true;
	}
	return false;
}

/* Whether the API server omits the value. It does not omit false and 0 generally: where it does,
 * they are the default, but elsewhere their absence means something else (a pod without
 * automountServiceAccountToken has the token). */
static bool is_empty(const json_t *value)
{
	return value == NULL || json_is_null(value) ||
	       (json_is_string(value) && json_string_length(value) == 0) ||
	       (json_is_array(value) && json_array_size(value) == 0) ||
	       (json_is_object(value) && json_object_size(value) == 0);
}

/* jansson cannot iterate over a const object, although that does not change it. */
static json_t *iterable(const json_t *object)
{
	return (json_t *)(uintptr_t)object;
}

/* A walk through both objects: its position and its findings. */
struct walk {
	json_t *differences; /* NULL: stop at the first one */
	char path[PATH_MAX_LENGTH];
};

static bool covers(struct walk *w, const char *member, const json_t *live, const json_t *desired);

/* Records a difference; always returns false. */
static bool differs(const struct walk *w, const json_t *live, const json_t *desired)
{
	/* "wanted" is part of the stored hashes of differences: renaming it would make all of them
	 * unknown. */
	if (w->differences != NULL && json_array_size(w->differences) < DIFFERENCES_MAX)
		json_array_append_new(w->differences,
				      json_pack("{s:s, s:O?, s:O}",
						"path",
						w->path,
						"live",
						live,
						"wanted",
						desired));
	return false;
}

/* Appends a segment to the path; returns where the path ended before. */
static size_t descend(struct walk *w, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static size_t descend(struct walk *w, const char *format, ...)
{
	size_t length = strlen(w->path);
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(w->path + length, sizeof(w->path) - length, format, arguments);
	va_end(arguments);
	return length;
}

static bool covers_members(struct walk *w, const json_t *live, const json_t *desired)
{
	const char *member;
	json_t *value;
	bool all = true;

	json_object_foreach(iterable(desired), member, value)
	{
		size_t length = descend(w, "%s%s", w->path[0] != '\0' ? "." : "", member);
		all = covers(w, member, json_object_get(live, member), value) && all;
		w->path[length] = '\0';
		if (!all && w->differences == NULL)
			return false;
	}
	return all;
}

static bool covers_items(struct walk *w, const json_t *live, const json_t *desired)
{
	size_t count = json_array_size(desired);
	bool all = true;

	if (json_array_size(live) != count)
		return differs(w, live, desired);
	for (size_t i = 0; i < count && (all || w->differences != NULL); i++) {
		size_t length = descend(w, "[%zu]", i);
		all = covers(w, "", json_array_get(live, i), json_array_get(desired, i)) && all;
		w->path[length] = '\0';
	}
	return all;
}

static bool covers_string(const char *member, const json_t *live, const json_t *desired)
{
	return json_equal(live, desired) ||
	       (is_quantity(member) &&
		quantity_equal(json_string_value(live), json_string_value(desired)));
}

/* `member`: the name of the member, "" in an array. */
static bool covers(struct walk *w, const char *member, const json_t *live, const json_t *desired)
{
	if (is_empty(desired) && is_empty(live))
		return true;
	if (live == NULL || json_typeof(live) != json_typeof(desired))
		return differs(w, live, desired);
	if (json_is_object(desired))
		return covers_members(w, live, desired);
	if (json_is_array(desired))
		return covers_items(w, live, desired);
	if (json_is_string(desired) ? covers_string(member, live, desired)
				    : json_equal(live, desired))
		return true;
	return differs(w, live, desired);
}

static bool walk(struct walk *w, const json_t *live, const json_t *desired)
{
	const char *member;
	json_t *value;
	bool all = true;

	json_object_foreach(iterable(desired), member, value)
	{
		/* Items of a list do not contain these. */
		if (strcmp(member, "apiVersion") == 0 || strcmp(member, "kind") == 0)
			continue;
		w->path[0] = '\0';
		(void)descend(w, "%s", member);
		all = covers(w, member, json_object_get(live, member), value) && all;
		if (!all && w->differences == NULL)
			return false;
	}
	return all;
}

bool manifest_covers(const json_t *live, const json_t *desired)
{
	struct walk w = { .differences = NULL };

	return walk(&w, live, desired);
}

json_t *manifest_differences(const json_t *live, const json_t *desired)
{
	struct walk w = { .differences = json_array() };

	(void)walk(&w, live, desired);
	return w.differences;
}

/* The claims of a StatefulSet are immutable, so those of the live object are kept, with the
 * launchpad's annotation of their size. */
static void keep_claims(json_t *desired, const json_t *live)
{
	static const char resize[] = "deploy.cloud.sealos.io/resize";
	const json_t *claims = json_at(live, "spec.volumeClaimTemplates");
	json_t *size = json_object_get(json_at(live, "metadata.annotations"), resize);

	if (claims == NULL)
		return;
	json_object_set_new(
		json_object_get(desired, "spec"), "volumeClaimTemplates", json_deep_copy(claims));
	json_object_set(json_at(desired, "metadata.annotations"), resize, size);
}

static json_t *database_claim(const json_t *cluster)
{
	return json_at(cluster, "spec.componentSpecs.0.volumeClaimTemplates.0.spec");
}

/* KubeBlocks can enlarge a claim, but cannot change its class. */
static void keep_storage_class(json_t *desired, const json_t *live)
{
	static const char member[] = "storageClassName";
	json_t *from = database_claim(live), *to = database_claim(desired);
	json_t *storage_class = json_object_get(from, member);

	if (storage_class != NULL)
		json_object_set(to, member, storage_class);
	else if (from != NULL)
		json_object_del(to, member);
}

void manifest_keep_immutable(json_t *desired, const json_t *live)
{
	const char *kind = json_string_value(json_object_get(desired, "kind"));

	if (kind != NULL && strcmp(kind, "StatefulSet") == 0)
		keep_claims(desired, live);
	else if (kind != NULL && strcmp(kind, "Cluster") == 0)
		keep_storage_class(desired, live);
}
