#include "managed.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "fieldset.h"
#include "object.h"

/* ---- entries of managedFields ---------------------------------------------------------------- */

static bool is_entry(const json_t *entry, const struct writer *w, const char *operation)
{
	return strcmp(json_path_text(entry, "manager"), w->manager) == 0 &&
	       strcmp(json_path_text(entry, "operation"), operation) == 0 &&
	       strcmp(json_path_text(entry, "subresource"), w->subresource) == 0;
}

static json_t *find_entry(const json_t *entries, const struct writer *w, const char *operation)
{
	size_t i;
	json_t *entry;

	json_array_foreach(entries, i, entry)
	{
		if (is_entry(entry, w, operation))
			return entry;
	}
	return NULL;
}

static const fieldset *fields_of(const json_t *entry)
{
	return json_object_get(entry, "fieldsV1");
}

static json_t *new_entry(const struct kind *kind, const struct writer *w, const char *operation)
{
	json_t *entry = json_pack("{s:s, s:s, s:s, s:s, s:s}", "manager", w->manager, "operation",
				  operation, "apiVersion", kind->api_version, "time", w->time,
				  "fieldsType", "FieldsV1");

	if (w->subresource[0] != '\0')
		json_object_set_new(entry, "subresource", json_string(w->subresource));
	return entry;
}

/* Sets the fields of an entry, and removes the entry if there are none. Steals `fields`. */
static void set_fields(json_t *entries, json_t *entry, fieldset *fields)
{
	size_t i;
	json_t *each;

	if (fields != NULL) {
		json_object_set_new(entry, "fieldsV1", fields);
		return;
	}
	json_array_foreach(entries, i, each)
	{
		if (each == entry) {
			json_array_remove(entries, i);
			return;
		}
	}
}

/* A copy of an object's entries, an empty array if it has none. */
static json_t *entries_of(const json_t *object)
{
	json_t *entries = json_path(object, "metadata.managedFields");

	return entries != NULL ? json_deep_copy(entries) : json_array();
}

/* Takes fields away from all entries but one. */
static void take_from_others(json_t *entries, const json_t *own, const fieldset *taken)
{
	for (size_t i = json_array_size(entries); i-- > 0;) {
		json_t *entry = json_array_get(entries, i);
		if (entry != own && taken != NULL)
			set_fields(entries, entry, fieldset_difference(fields_of(entry), taken));
	}
}

static fieldset *union_of_others(const json_t *entries, const json_t *own)
{
	fieldset *all = NULL;
	size_t i;
	json_t *entry;

	json_array_foreach(entries, i, entry)
	{
		if (entry == own)
			continue;
		fieldset *more = fieldset_union(all, fields_of(entry));
		json_decref(all);
		all = more;
	}
	return all;
}

/* ---- fields that are never owned ------------------------------------------------------------- */

static const char *const unowned_metadata[] = {
	"name",       "generateName",      "namespace",         "uid",
	"selfLink",   "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds",
	"generation", "resourceVersion",   "managedFields",
};

/* A copy of an object with only the fields that can be owned. */
static json_t *owned_part(const struct kind *kind, const json_t *object, const char *subresource)
{
	json_t *copy;

	if (subresource[0] != '\0') {
		json_t *part = json_object_get(object, subresource);
		return part != NULL ? json_pack("{s:O}", subresource, part) : json_object();
	}
	copy = json_copy((json_t *)(uintptr_t)object);
	json_object_del(copy, "apiVersion");
	json_object_del(copy, "kind");
	if (kind->has_status)
		json_object_del(copy, "status");
	json_t *metadata = json_copy(json_object_get(object, "metadata"));
	for (size_t i = 0; i < ARRAY_SIZE(unowned_metadata); i++)
		json_object_del(metadata, unowned_metadata[i]);
	if (json_object_size(metadata) > 0)
		json_object_set(copy, "metadata", metadata);
	else
		json_object_del(copy, "metadata");
	json_decref(metadata);
	return copy;
}

/* ---- merging --------------------------------------------------------------------------------- */

static json_t *merge(const struct schema *schema, json_t *live, json_t *config);

/* Merges the items of both lists, each in its own order: items that are only in `live` stay before
 * the shared item that they preceded. */
static json_t *merge_items(const struct schema *schema, const json_t *live, const json_t *config)
{
	json_t *merged = json_array(), *item;
	size_t count = json_array_size(live), i, j, from = 0;

	json_array_foreach(config, i, item)
	{
		CLEANUP(cleanup_free) char *key = schema_item_key(schema, item);
		json_t *old = schema_find_item(schema, live, key);
		for (j = from; old != NULL && j < count && json_array_get(live, j) != old; j++) {
			json_t *other = json_array_get(live, j);
			CLEANUP(cleanup_free) char *other_key = schema_item_key(schema, other);
			if (schema_find_item(schema, config, other_key) == NULL)
				json_array_append(merged, other);
		}
		if (old != NULL && j < count)
			from = j + 1;
		json_array_append_new(merged, old != NULL ? merge(schema->element, old, item)
							  : json_deep_copy(item));
	}
	for (j = from; j < count; j++) {
		json_t *other = json_array_get(live, j);
		CLEANUP(cleanup_free) char *other_key = schema_item_key(schema, other);
		if (schema_find_item(schema, config, other_key) == NULL)
			json_array_append(merged, other);
	}
	return merged;
}

static json_t *merge_set(const json_t *live, const json_t *config)
{
	json_t *merged = json_copy((json_t *)(uintptr_t)live), *item, *old;
	size_t i, j;

	json_array_foreach(config, i, item)
	{
		bool found = false;
		json_array_foreach(live, j, old)
		{
			found = found || json_equal(old, item);
		}
		if (!found)
			json_array_append(merged, item);
	}
	return merged;
}

static json_t *merge_members(const struct schema *schema, const json_t *live, json_t *config)
{
	json_t *merged = json_copy((json_t *)(uintptr_t)live), *value;
	const char *name;

	json_object_foreach(config, name, value)
	{
		const struct schema *s = schema_member(schema, name);
		json_t *old = json_object_get(live, name);
		if (json_is_null(value))
			continue;
		json_object_set_new(merged, name,
				    old != NULL && s != NULL ? merge(s, old, value)
							     : json_deep_copy(value));
	}
	return merged;
}

/* Returns a new reference to `live` with `config` applied; equal parts may be shared. */
static json_t *merge(const struct schema *schema, json_t *live, json_t *config)
{
	if (!schema_is_granular(schema) || json_typeof(live) != json_typeof(config))
		return json_deep_copy(config);
	if (schema->type == SCHEMA_LIST)
		return merge_items(schema, live, config);
	if (schema->type == SCHEMA_SET)
		return merge_set(live, config);
	return merge_members(schema, live, config);
}

/* ---- conflicts ------------------------------------------------------------------------------- */

struct conflicts {
	json_t *causes;
	const char *manager;
	char words[256]; /* the manager's description */
	char fields[1024];
	char first[512];
	size_t managers;
};

static void add_conflict(void *user, const char *path)
{
	struct conflicts *c = user;
	size_t length = strlen(c->fields);
	CLEANUP(cleanup_free) char *message = mem_printf("conflict with %s", c->words);

	if (json_array_size(c->causes) == 0)
		snprintf(c->first, sizeof(c->first), "%.500s", path);
	json_array_append_new(c->causes,
			      json_pack("{s:s, s:s, s:s}", "reason", "FieldManagerConflict",
					"message", message, "field", path));
	snprintf(c->fields + length, sizeof(c->fields) - length, "\n- %s", path);
}

/* `"other"`, and of an update `"other" with subresource "status" using apps/v1`. */
static void describe_manager(struct conflicts *c, const json_t *entry)
{
	bool update = strcmp(json_path_text(entry, "operation"), "Update") == 0;
	const char *sub = json_path_text(entry, "subresource");

	snprintf(c->words, sizeof(c->words), "\"%.60s\"%s%.20s%s%s%.60s",
		 json_path_text(entry, "manager"), sub[0] != '\0' ? " with subresource \"" : "",
		 sub, sub[0] != '\0' ? "\"" : "", update ? " using " : "",
		 update ? json_path_text(entry, "apiVersion") : "");
}

static void collect_conflicts(const json_t *entries, const json_t *own, const fieldset *changed,
			      struct conflicts *c)
{
	size_t i;
	json_t *entry;

	json_array_foreach(entries, i, entry)
	{
		if (entry == own)
			continue;
		CLEANUP(json_decrefp)
		fieldset *both = fieldset_intersection(fields_of(entry), changed);
		if (both == NULL)
			continue;
		size_t length = strlen(c->fields);
		describe_manager(c, entry);
		snprintf(c->fields + length, sizeof(c->fields) - length,
			 "%sconflicts with %s:", length > 0 ? "\n" : "", c->words);
		c->managers++;
		fieldset_visit(both, add_conflict, c);
	}
}

static int check_conflicts(const json_t *entries, const json_t *own, const fieldset *changed,
			   struct refusal *r)
{
	struct conflicts c = { .causes = json_array() };

	collect_conflicts(entries, own, changed, &c);
	size_t count = json_array_size(c.causes);
	if (count == 0) {
		json_decref(c.causes);
		return 0;
	}
	if (count == 1)
		refuse(r, 409, "Conflict", "Apply failed with 1 conflict: conflict with %s: %s",
		       c.words, c.first);
	else
		refuse(r, 409, "Conflict", "Apply failed with %zu conflicts: %s", count, c.fields);
	r->causes = c.causes;
	return -1;
}

/* ---- apply ----------------------------------------------------------------------------------- */

/* Removes fields that this manager applied before but does not now, unless another manager owns
 * them. */
static void give_up(const struct kind *kind, json_t *object, const json_t *entries,
		    const json_t *own, const fieldset *applied)
{
	CLEANUP(json_decrefp) fieldset *others = union_of_others(entries, own);
	CLEANUP(json_decrefp) fieldset *keep = fieldset_union(others, applied);
	CLEANUP(json_decrefp) fieldset *left = fieldset_difference(fields_of(own), applied);

	fieldset_remove(kind->schema, object, left, keep);
}

static void set_entries(json_t *object, json_t *entries)
{
	json_t *metadata = json_object_get(object, "metadata");

	if (json_array_size(entries) > 0)
		json_object_set(metadata, "managedFields", entries);
	else
		json_object_del(metadata, "managedFields");
}

/* The time changes only if the owned fields have changed: applying the same again changes
 * nothing. */
static void record_apply(const struct kind *kind, json_t *entries, json_t *own,
			 const struct writer *w, const fieldset *applied, bool changed)
{
	if (own == NULL) {
		own = new_entry(kind, w, "Apply");
		json_array_append_new(entries, own);
	} else if (changed || !json_equal(fields_of(own), applied)) {
		json_object_set_new(own, "time", json_string(w->time));
	}
	set_fields(entries, own, json_object_size(applied) > 0 ? json_deep_copy(applied) : NULL);
}

int managed_apply(const struct kind *kind, const json_t *live, const json_t *config,
		  const struct writer *writer, bool force, json_t **ret_object, struct refusal *r)
{
	CLEANUP(json_decrefp) json_t *part = owned_part(kind, config, writer->subresource);
	CLEANUP(json_decrefp) fieldset *applied = fieldset_of(kind->schema, part);
	CLEANUP(json_decrefp) json_t *entries = entries_of(live);
	CLEANUP(json_decrefp) json_t *base = live != NULL ? json_deep_copy(live) : json_object();
	CLEANUP(json_decrefp) json_t *changes = json_deep_copy(config);
	json_t *own = find_entry(entries, writer, "Apply");

	if (kind->has_status && writer->subresource[0] == '\0')
		json_object_del(changes, "status");
	CLEANUP(json_decrefp) json_t *merged = merge(kind->schema, base, changes);
	CLEANUP(json_decrefp) json_t *before = owned_part(kind, base, writer->subresource);
	CLEANUP(json_decrefp) json_t *after = owned_part(kind, merged, writer->subresource);
	CLEANUP(json_decrefp) fieldset *changed = fieldset_changed(kind->schema, before, after);
	if (live != NULL && !force && check_conflicts(entries, own, changed, r) < 0)
		return -1;
	take_from_others(entries, own, changed);
	json_t *object = json_deep_copy(merged);
	own = find_entry(entries, writer, "Apply");
	if (own != NULL)
		give_up(kind, object, entries, own, applied);
	record_apply(kind, entries, own, writer, applied, changed != NULL);
	set_entries(object, entries);
	*ret_object = object;
	return 0;
}

/* ---- update ---------------------------------------------------------------------------------- */

void managed_update(const struct kind *kind, const json_t *before, json_t *after,
		    const struct writer *writer)
{
	CLEANUP(json_decrefp) json_t *entries = entries_of(before);
	CLEANUP(json_decrefp) json_t *none = json_object();
	CLEANUP(json_decrefp)
	json_t *old = owned_part(kind, before != NULL ? before : none, writer->subresource);
	CLEANUP(json_decrefp) json_t *new = owned_part(kind, after, writer->subresource);
	CLEANUP(json_decrefp) fieldset *changed = fieldset_changed(kind->schema, old, new);
	CLEANUP(json_decrefp) fieldset *had = fieldset_of(kind->schema, old);
	CLEANUP(json_decrefp) fieldset *has = fieldset_of(kind->schema, new);
	CLEANUP(json_decrefp) fieldset *gone = fieldset_difference(had, has);
	json_t *own = find_entry(entries, writer, "Update");

	take_from_others(entries, own, changed);
	take_from_others(entries, NULL, gone);
	own = find_entry(entries, writer, "Update");
	if (changed != NULL) {
		fieldset *fields = fieldset_union(fields_of(own), changed);
		if (own == NULL) {
			own = new_entry(kind, writer, "Update");
			json_array_append_new(entries, own);
		}
		json_object_set_new(own, "time", json_string(writer->time));
		set_fields(entries, own, fields);
	}
	set_entries(after, entries);
}
