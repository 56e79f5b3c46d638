#include "object.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/parse.h"
#include "quantity.h"

enum { SEGMENT_MAX = 128 };

/* ---- paths ----------------------------------------------------------------------------------- */

/* Copies the first segment of a path; returns the rest, or NULL. */
static const char *split_path(const char *path, char ret_segment[SEGMENT_MAX])
{
	size_t length = strcspn(path, ".");

	snprintf(ret_segment, SEGMENT_MAX, "%.*s", (int)length, path);
	return path[length] == '.' ? path + length + 1 : NULL;
}

json_t *json_path(const json_t *json, const char *path)
{
	char segment[SEGMENT_MAX];
	json_t *at = NULL;

	while (path != NULL) {
		path = split_path(path, segment);
		at = json_object_get(json, segment);
		json = at;
	}
	return at;
}

const char *json_path_text(const json_t *json, const char *path)
{
	const char *text = json_string_value(json_path(json, path));

	return text != NULL ? text : "";
}

long long json_path_number(const json_t *json, const char *path, long long otherwise)
{
	const json_t *value = json_path(json, path);

	return json_is_integer(value) ? json_integer_value(value) : otherwise;
}

void json_path_set(json_t *json, const char *path, json_t *value)
{
	char segment[SEGMENT_MAX];
	const char *rest;

	while ((rest = split_path(path, segment)) != NULL) {
		json_t *next = json_object_get(json, segment);
		if (!json_is_object(next)) {
			next = json_object();
			json_object_set_new(json, segment, next);
		}
		json = next;
		path = rest;
	}
	json_object_set_new(json, segment, value);
}

/* ---- making ---------------------------------------------------------------------------------- */

static char *dump(const json_t *json, const char *member, size_t *ret_length)
{
	char *text = json_dumps(json_object_get(json, member), JSON_COMPACT | JSON_ENCODE_ANY);

	*ret_length = text != NULL ? strlen(text) : 0;
	return text;
}

/* Puts `"metadata":{…}` first, so that a list of metadata can be cut out. */
static struct object *make_body(const json_t *json)
{
	struct buf b = BUF_INIT((size_t)1 << 24);
	const char *name;
	size_t length;
	size_t metadata_length;
	CLEANUP(cleanup_free) char *metadata = dump(json, "metadata", &length);
	CLEANUP(buf_release) struct buf body = b;

	buf_append(&body, "\"metadata\":", 11, NULL);
	buf_append(&body, metadata, length, NULL);
	metadata_length = body.length;
	for (void *i = json_object_iter((json_t *)(uintptr_t)json); i != NULL;
	     i = json_object_iter_next((json_t *)(uintptr_t)json, i)) {
		name = json_object_iter_key(i);
		if (strcmp(name, "metadata") == 0 || strcmp(name, "kind") == 0 ||
		    strcmp(name, "apiVersion") == 0)
			continue;
		CLEANUP(cleanup_free) char *value = dump(json, name, &length);
		buf_append(&body, ",\"", 2, NULL);
		buf_append(&body, name, strlen(name), NULL);
		buf_append(&body, "\":", 2, NULL);
		buf_append(&body, value, length, NULL);
	}
	buf_append(&body, "}", 1, NULL);
	struct object *o = mem_calloc(1, sizeof(*o) + body.length + 1);
	memcpy(o->body, body.data, body.length + 1);
	o->body_length = body.length;
	o->metadata_length = metadata_length;
	return o;
}

static void copy_labels(struct object *o, const json_t *labels)
{
	const char *key;
	json_t *value;

	o->labels = mem_calloc(json_object_size(labels), sizeof(*o->labels));
	json_object_foreach((json_t *)(uintptr_t)labels, key, value)
	{
		o->labels[o->label_count++] = (struct pair) {
			mem_strdup(key),
			mem_strdup(json_is_string(value) ? json_string_value(value) : ""),
		};
	}
}

static void copy_fields(struct object *o, const json_t *json)
{
	const char *const *paths = o->kind->selectable;

	if (paths[0] == NULL)
		return;
	o->fields = mem_calloc(SELECTABLE_MAX, sizeof(*o->fields));
	for (size_t i = 0; i < SELECTABLE_MAX && paths[i] != NULL; i++)
		o->fields[o->field_count++] =
			(struct pair) { paths[i], mem_strdup(json_path_text(json, paths[i])) };
}

static void copy_owners(struct object *o, const json_t *owners)
{
	size_t i;
	json_t *owner;

	o->owner_count = json_array_size(owners);
	if (o->owner_count == 0)
		return;
	o->owners = mem_calloc(o->owner_count, sizeof(*o->owners));
	json_array_foreach(owners, i, owner)
	{
		o->owners[i] = mem_strdup(json_path_text(owner, "uid"));
	}
}

static void add_quantity(const json_t *quantities, const char *name, long long *sum)
{
	long long milli;

	if (quantity_milli(json_string_value(json_object_get(quantities, name)), &milli))
		*sum += milli;
}

struct usage usage_of(const struct kind *kind, const json_t *json)
{
	struct usage usage = { 0 };
	size_t i;
	json_t *container;

	if (kind->id == KIND_CLAIM)
		add_quantity(json_path(json, "spec.resources.requests"), "storage", &usage.storage);
	if (kind->id != KIND_POD)
		return usage;
	json_array_foreach(json_path(json, "spec.containers"), i, container)
	{
		const json_t *limits = json_path(container, "resources.limits");
		add_quantity(limits, "cpu", &usage.cpu);
		add_quantity(limits, "memory", &usage.memory);
	}
	return usage;
}

static bool is_ready(const struct kind *kind, const json_t *json)
{
	size_t i;
	json_t *condition;

	if (kind->id == KIND_CLAIM)
		return strcmp(json_path_text(json, "status.phase"), "Bound") == 0;
	if (kind->id != KIND_POD)
		return false;
	json_array_foreach(json_path(json, "status.conditions"), i, condition)
	{
		if (strcmp(json_path_text(condition, "type"), "Ready") == 0)
			return strcmp(json_path_text(condition, "status"), "True") == 0;
	}
	return false;
}

struct object *object_new(const struct kind *kind, const json_t *json)
{
	const json_t *metadata = json_object_get(json, "metadata");
	struct object *o = make_body(json);

	o->references = 1;
	o->kind = kind;
	parse_u64(json_path_text(metadata, "resourceVersion"), 0, UINT64_MAX, &o->version);
	o->namespace = mem_strdup(json_path_text(metadata, "namespace"));
	o->name = mem_strdup(json_path_text(metadata, "name"));
	o->uid = mem_strdup(json_path_text(metadata, "uid"));
	o->deleting = json_object_get(metadata, "deletionTimestamp") != NULL;
	o->has_finalizers = json_array_size(json_object_get(metadata, "finalizers")) > 0;
	copy_labels(o, json_object_get(metadata, "labels"));
	copy_fields(o, json);
	copy_owners(o, json_object_get(metadata, "ownerReferences"));
	o->usage = usage_of(kind, json);
	o->is_ready = is_ready(kind, json);
	o->generation = json_path_number(metadata, "generation", 0);
	return o;
}

struct object *object_reference(struct object *o)
{
	o->references++;
	return o;
}

static void free_text(const char *text)
{
	free((char *)(uintptr_t)text);
}

void object_release(struct object *o)
{
	if (o == NULL || --o->references > 0)
		return;
	for (size_t i = 0; i < o->label_count; i++) {
		free_text(o->labels[i].key);
		free_text(o->labels[i].value);
	}
	for (size_t i = 0; i < o->field_count; i++)
		free_text(o->fields[i].value);
	for (size_t i = 0; i < o->owner_count; i++)
		free_text(o->owners[i]);
	free(o->labels);
	free(o->fields);
	free(o->owners);
	free_text(o->namespace);
	free_text(o->name);
	free_text(o->uid);
	free(o);
}

/* ---- reading --------------------------------------------------------------------------------- */

static void append(struct buf *b, const char *text)
{
	buf_append(b, text, strlen(text), NULL);
}

json_t *object_json(const struct object *o)
{
	CLEANUP(buf_release) struct buf text = BUF_INIT((size_t)1 << 25);

	buf_append(&text, "{", 1, NULL);
	buf_append(&text, o->body, o->body_length, NULL);
	return json_loadb(text.data, text.length, 0, NULL);
}

static void write_type(struct buf *b, const char *kind, const char *api_version)
{
	append(b, "{\"kind\":\"");
	append(b, kind);
	append(b, "\",\"apiVersion\":\"");
	append(b, api_version);
	append(b, "\",");
}

void object_write(const struct object *o, struct buf *b)
{
	write_type(b, o->kind->kind, o->kind->api_version);
	buf_append(b, o->body, o->body_length, NULL);
}

/* Items of a list contain kind and apiVersion only for types of a CustomResourceDefinition. */
void object_write_item(const struct object *o, struct buf *b)
{
	if (o->kind->is_custom) {
		object_write(o, b);
		return;
	}
	append(b, "{");
	buf_append(b, o->body, o->body_length, NULL);
}

void object_write_metadata(const struct object *o, struct buf *b)
{
	write_type(b, "PartialObjectMetadata", "meta.k8s.io/v1");
	buf_append(b, o->body, o->metadata_length, NULL);
	append(b, "}");
}

static const char *find_pair(const struct pair *pairs, size_t count, const char *key)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(pairs[i].key, key) == 0)
			return pairs[i].value;
	}
	return NULL;
}

const char *object_label(const struct object *o, const char *key)
{
	return find_pair(o->labels, o->label_count, key);
}

const char *object_field(const struct object *o, const char *path)
{
	if (strcmp(path, "metadata.name") == 0)
		return o->name;
	if (strcmp(path, "metadata.namespace") == 0)
		return o->namespace;
	return find_pair(o->fields, o->field_count, path);
}
