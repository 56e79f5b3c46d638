#ifndef KUBESIM_OBJECT_H
#define KUBESIM_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/buf.h"
#include "kind.h"

/*
 * One version of an object: the text as it is sent, and the parts that are needed without parsing.
 * Immutable and reference-counted: a change creates a new one, and a list of old ones is a
 * snapshot. A hundred thousand sandboxes are a million of these, so they are text and not trees.
 */
struct pair {
	const char *key, *value;
};

/* What counts against a ResourceQuota, in thousandths. */
struct usage {
	long long cpu, memory, storage; /* limits.cpu, limits.memory, requests.storage */
};

struct object {
	unsigned references;
	const struct kind *kind;
	uint64_t version;
	const char *namespace; /* "" for those that have none */
	const char *name, *uid;
	bool is_ready; /* a pod with the condition Ready, a claim that is Bound */
	long long generation;
	bool deleting; /* has a deletionTimestamp */
	bool has_finalizers;
	struct pair *labels;
	size_t label_count;
	struct pair *fields; /* those that field selectors may name */
	size_t field_count;
	const char **owners; /* the uids of metadata.ownerReferences */
	size_t owner_count;
	struct usage usage; /* of pods and claims, for quotas */
	size_t body_length, metadata_length;
	char body[]; /* `"metadata":{…},"spec":…}`, all but the type and the first brace */
};

/* From a complete object. The caller owns one reference. */
struct object *object_new(const struct kind *kind, const json_t *json);
struct object *object_reference(struct object *o);
void object_release(struct object *o);

/* A tree of it, without apiVersion and kind. The caller json_decref()s. */
json_t *object_json(const struct object *o);
/* Appends it as it is sent alone, as an item of a list, and with only its metadata. */
void object_write(const struct object *o, struct buf *b);
void object_write_item(const struct object *o, struct buf *b);
void object_write_metadata(const struct object *o, struct buf *b);

struct usage usage_of(const struct kind *kind, const json_t *json);

/* NULL if it has no such label or field. */
const char *object_label(const struct object *o, const char *key);
const char *object_field(const struct object *o, const char *path);

/* Convenience over json_t: a member by a path "a.b.c", NULL if there is none; its text, "" if there
 * is none; its number, `otherwise` if there is none. Borrowed. */
json_t *json_path(const json_t *json, const char *path);
const char *json_path_text(const json_t *json, const char *path);
long long json_path_number(const json_t *json, const char *path, long long otherwise);
/* Sets the member at a path, making the objects on the way. Steals `value`. */
void json_path_set(json_t *json, const char *path, json_t *value);

#endif
