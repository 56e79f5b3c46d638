#include "fieldset.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"

enum { PATH_LENGTH = 1024 };

/* ---- nodes ----------------------------------------------------------------------------------- */

static bool is_member(const fieldset *node)
{
	return node != NULL && (json_object_size(node) == 0 || json_object_get(node, "."));
}

/* Adds a child under a member's name, unless it is the empty set. Steals `child`. */
static void put(fieldset *node, char prefix, const char *name, fieldset *child)
{
	if (child == NULL)
		return;
	CLEANUP(cleanup_free) char *key = mem_printf("%c:%s", prefix, name);
	json_object_set_new(node, key, child);
}

/* A node with children, which may itself be a member; NULL if it is empty. Steals `node`. */
static fieldset *close_node(fieldset *node, bool member)
{
	if (json_object_size(node) == 0 && !member) {
		json_decref(node);
		return NULL;
	}
	if (json_object_size(node) > 0 && member)
		json_object_set_new(node, ".", json_object());
	return node;
}

/* ---- of values ------------------------------------------------------------------------------- */

static fieldset *of_members(const struct schema *schema, const json_t *value)
{
	fieldset *node = json_object();

	for (void *i = json_object_iter((json_t *)(uintptr_t)value); i != NULL;
	     i = json_object_iter_next((json_t *)(uintptr_t)value, i)) {
		const char *name = json_object_iter_key(i);
		const struct schema *s = schema_member(schema, name);
		if (s != NULL)
			put(node, 'f', name, fieldset_of(s, json_object_iter_value(i)));
	}
	/* An empty struct is itself a field. */
	return close_node(node, json_object_size(value) == 0);
}

static fieldset *of_items(const struct schema *schema, const json_t *value)
{
	fieldset *node = json_object();
	size_t i;
	json_t *item;

	json_array_foreach(value, i, item)
	{
		CLEANUP(cleanup_free) char *key = NULL;
		fieldset *child = json_object();
		if (schema->type == SCHEMA_SET) {
			key = json_dumps(item, JSON_ENCODE_ANY | JSON_COMPACT);
			put(node, 'v', key, child);
			continue;
		}
		key = schema_item_key(schema, item);
		if (schema_is_granular(schema->element)) {
			json_decref(child);
			child = close_node(of_members(schema->element, item), true);
		}
		if (key != NULL)
			put(node, 'k', key, child);
		else
			json_decref(child);
	}
	return close_node(node, false);
}

fieldset *fieldset_of(const struct schema *schema, const json_t *value)
{
	if (!schema_is_granular(schema) || json_is_null(value))
		return json_object();
	if (json_is_array(value))
		return of_items(schema, value);
	return of_members(schema, value);
}

static fieldset *changed_members(const struct schema *schema, const json_t *before,
				 const json_t *after)
{
	fieldset *node = json_object();

	for (void *i = json_object_iter((json_t *)(uintptr_t)after); i != NULL;
	     i = json_object_iter_next((json_t *)(uintptr_t)after, i)) {
		const char *name = json_object_iter_key(i);
		const struct schema *s = schema_member(schema, name);
		if (s != NULL)
			put(node, 'f', name,
			    fieldset_changed(s, json_object_get(before, name),
					     json_object_iter_value(i)));
	}
	return close_node(node, false);
}

static fieldset *changed_items(const struct schema *schema, const json_t *before,
			       const json_t *after)
{
	fieldset *node = json_object();
	size_t i;
	json_t *item;

	json_array_foreach(after, i, item)
	{
		CLEANUP(cleanup_free) char *key = schema_item_key(schema, item);
		json_t *old = key != NULL ? schema_find_item(schema, before, key) : NULL;
		if (key == NULL || json_equal(old, item))
			continue;
		if (old != NULL && schema_is_granular(schema->element))
			put(node, 'k', key, changed_members(schema->element, old, item));
		else if (schema_is_granular(schema->element))
			put(node, 'k', key, close_node(of_members(schema->element, item), true));
		else
			put(node, 'k', key, json_object());
	}
	return close_node(node, false);
}

fieldset *fieldset_changed(const struct schema *schema, const json_t *before, const json_t *after)
{
	if (json_equal(before, after))
		return NULL;
	if (before == NULL || !schema_is_granular(schema) || json_is_null(after))
		return fieldset_of(schema, after);
	switch (schema->type) {
	case SCHEMA_LIST:
		return changed_items(schema, before, after);
	case SCHEMA_SET: {
		CLEANUP(json_decrefp) fieldset *old = fieldset_of(schema, before);
		CLEANUP(json_decrefp) fieldset *new = fieldset_of(schema, after);
		return fieldset_difference(new, old);
	}
	default:
		return changed_members(schema, before, after);
	}
}

/* ---- sets ------------------------------------------------------------------------------------ */

fieldset *fieldset_union(const fieldset *a, const fieldset *b)
{
	const char *key;
	json_t *child;

	if (a == NULL || b == NULL)
		return json_deep_copy(a != NULL ? a : b);
	fieldset *node = json_object();
	json_object_foreach((json_t *)(uintptr_t)a, key, child)
	{
		if (strcmp(key, ".") != 0)
			json_object_set_new(node, key,
					    fieldset_union(child, json_object_get(b, key)));
	}
	json_object_foreach((json_t *)(uintptr_t)b, key, child)
	{
		if (strcmp(key, ".") != 0 && json_object_get(node, key) == NULL)
			json_object_set_new(node, key, json_deep_copy(child));
	}
	return close_node(node, is_member(a) || is_member(b));
}

fieldset *fieldset_difference(const fieldset *a, const fieldset *b)
{
	const char *key;
	json_t *child;

	if (a == NULL || b == NULL)
		return json_deep_copy(a);
	fieldset *node = json_object();
	json_object_foreach((json_t *)(uintptr_t)a, key, child)
	{
		if (strcmp(key, ".") == 0)
			continue;
		fieldset *left = fieldset_difference(child, json_object_get(b, key));
		if (left != NULL)
			json_object_set_new(node, key, left);
	}
	return close_node(node, is_member(a) && !is_member(b));
}

fieldset *fieldset_intersection(const fieldset *a, const fieldset *b)
{
	const char *key;
	json_t *child;

	if (a == NULL || b == NULL)
		return NULL;
	fieldset *node = json_object();
	json_object_foreach((json_t *)(uintptr_t)a, key, child)
	{
		if (strcmp(key, ".") == 0)
			continue;
		fieldset *both = fieldset_intersection(child, json_object_get(b, key));
		if (both != NULL)
			json_object_set_new(node, key, both);
	}
	return close_node(node, is_member(a) && is_member(b));
}

/* ---- removal --------------------------------------------------------------------------------- */

static void remove_member(const struct schema *schema, json_t *object, const char *name,
			  const fieldset *remove, const fieldset *keep)
{
	json_t *member = json_object_get(object, name);
	const struct schema *s = schema_member(schema, name);

	if (member == NULL || s == NULL)
		return;
	if (is_member(remove) && keep == NULL) {
		json_object_del(object, name);
		return;
	}
	fieldset_remove(s, member, remove, keep);
	if (keep == NULL && (json_is_object(member) || json_is_array(member)) &&
	    json_object_size(member) + json_array_size(member) == 0)
		json_object_del(object, name);
}

/* Finds the item that a path element names. */
static bool find_place(const struct schema *schema, const json_t *items, const char *element,
		       size_t *ret_place)
{
	size_t i;
	json_t *item;

	json_array_foreach(items, i, item)
	{
		CLEANUP(cleanup_free)
		char *key = schema->type == SCHEMA_SET
				    ? json_dumps(item, JSON_ENCODE_ANY | JSON_COMPACT)
				    : schema_item_key(schema, item);
		if (key != NULL && strcmp(key, element + 2) == 0) {
			*ret_place = i;
			return true;
		}
	}
	return false;
}

static void remove_item(const struct schema *schema, json_t *items, const char *element,
			const fieldset *remove, const fieldset *keep)
{
	size_t place;

	if (!find_place(schema, items, element, &place))
		return;
	if (is_member(remove) && keep == NULL)
		json_array_remove(items, place);
	else
		fieldset_remove(schema->element, json_array_get(items, place), remove, keep);
}

void fieldset_remove(const struct schema *schema, json_t *object, const fieldset *remove,
		     const fieldset *keep)
{
	const char *key;
	json_t *child;

	if (!schema_is_granular(schema))
		return;
	json_object_foreach((json_t *)(uintptr_t)remove, key, child)
	{
		const fieldset *kept = json_object_get(keep, key);
		if (key[0] == 'f')
			remove_member(schema, object, key + 2, child, kept);
		else if (key[0] != '.')
			remove_item(schema, object, key, child, kept);
	}
}

/* ---- paths ----------------------------------------------------------------------------------- */

static void write_element(char *to, size_t size, const char *key)
{
	if (key[0] == 'f') {
		snprintf(to, size, ".%s", key + 2);
		return;
	}
	CLEANUP(json_decrefp) json_t *parsed = json_loads(key + 2, JSON_DECODE_ANY, NULL);
	size_t length = (size_t)snprintf(to, size, "[%s", json_is_object(parsed) ? "" : "=");
	const char *name;
	json_t *value;
	const char *comma = "";
	if (!json_is_object(parsed))
		length += (size_t)snprintf(to + length, size - length, "%s", key + 2);
	json_object_foreach(parsed, name, value)
	{
		CLEANUP(cleanup_free) char *text = json_dumps(value, JSON_ENCODE_ANY);
		if (length < size)
			length += (size_t)snprintf(to + length, size - length, "%s%s=%s", comma,
						   name, text);
		comma = ",";
	}
	if (length < size)
		snprintf(to + length, size - length, "]");
}

static void visit_node(const fieldset *node, const char *path, fieldset_visit_fn *visit, void *user)
{
	const char *key;
	json_t *child;

	/* Members of this level come before deeper ones. */
	for (int deeper = 0; deeper < 2; deeper++) {
		json_object_foreach((json_t *)(uintptr_t)node, key, child)
		{
			char element[512], here[PATH_LENGTH];
			if (strcmp(key, ".") == 0)
				continue;
			write_element(element, sizeof(element), key);
			snprintf(here, sizeof(here), "%.500s%s", path, element);
			if (deeper)
				visit_node(child, here, visit, user);
			else if (is_member(child))
				visit(user, here);
		}
	}
}

void fieldset_visit(const fieldset *a, fieldset_visit_fn *visit, void *user)
{
	if (a != NULL)
		visit_node(a, "", visit, user);
}
