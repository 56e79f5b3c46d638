#include "reconcile/vouch.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/json_at.h"
#include "base/mem.h"
#include "manifest/manifest.h"
#include "manifest/object.h"
#include "reconcile/kind.h"

/* As OBSERVE(): all of its types but the anchor's. */
static unsigned companions_of(const struct kind *kind)
{
	unsigned types = 0;

	for (size_t i = 0; i + 1 < kind->object_count; i++)
		types |= OBSERVE(kind->objects[i]);
	return types;
}

unsigned vouch_brief(const struct kind *kind, const struct queue_row *row, const json_t *kept)
{
	bool stable = row->desired == DESIRED_RUNNING && row->status == STATUS_RUNNING;
	/* Where admission changes the anchor, only all of it shows whether the hash is hidden. */
	bool compares = json_object_get(kept, "accepted") != NULL;

	if (!stable || json_object_get(kept, "vouched") == NULL)
		return 0;
	/* Of Secrets more is never listed. */
	return (companions_of(kind) & ~OBSERVE(KUBE_SECRETS)) |
	       (compares ? 0 : OBSERVE(kind_anchor(kind)));
}

unsigned vouch_unknown(const struct view *v, unsigned brief)
{
	if (!vouch_holds(v))
		return brief;
	return vouch_holds_for_anchor(v) ? 0 : brief & OBSERVE(kind_anchor(v->kind));
}

/* A replaced object has another UID. The server may be anybody's: what is longer than Kubernetes
 * makes it is cut. The caller frees. */
static char *version_of(const json_t *object)
{
	return mem_printf("%.64s/%.64s", json_text_at(object, "metadata.uid"),
			  json_text_at(object, "metadata.resourceVersion"));
}

static char *anchor_version(const struct view *v)
{
	return version_of(
		observation_object(v->observation, kind_anchor(v->kind), v->row->id, v->row->name));
}

/* False: some of them were not listed. */
static bool hash_versions(const struct view *v, char ret_hash[MANIFEST_HASH_SIZE])
{
	json_auto_t *versions = json_array();
	unsigned types = companions_of(v->kind);

	for (unsigned i = 0; i < KUBE_RESOURCE_COUNT; i++) {
		enum kube_resource type = (enum kube_resource)i;
		size_t j;
		json_t *object;
		if ((types & OBSERVE(i)) == 0)
			continue;
		if (!observation_has(v->observation, type))
			return false;
		json_array_foreach(observation_of(v->observation, type, v->row->id), j, object)
		{
			CLEANUP(cleanup_free) char *version = version_of(object);
			json_array_append_new(versions, json_string(version));
		}
	}
	object_hash(versions, ret_hash);
	return true;
}

bool vouch_holds(const struct view *v)
{
	const json_t *vouched = json_object_get(v->kept, "vouched");
	char hash[MANIFEST_HASH_SIZE];

	return vouched != NULL &&
	       strcmp(json_text_at(vouched, "hash"), desired_state_hash(v->desired)) == 0 &&
	       hash_versions(v, hash) && strcmp(json_text_at(vouched, "others"), hash) == 0;
}

bool vouch_holds_for_anchor(const struct view *v)
{
	CLEANUP(cleanup_free) char *version = anchor_version(v);

	return strcmp(json_text_at(v->kept, "vouched.anchor"), version) == 0;
}

void vouch_note(const struct view *v)
{
	CLEANUP(cleanup_free) char *anchor = anchor_version(v);
	char hash[MANIFEST_HASH_SIZE];

	if (hash_versions(v, hash))
		(void)json_object_set_new(v->kept, "vouched",
					  json_pack("{s:s, s:s, s:s}", "hash",
						    desired_state_hash(v->desired), "others", hash,
						    "anchor", anchor));
}
