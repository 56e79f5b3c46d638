#include "schema.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "quantity.h"

enum { PATH_MAX_LENGTH = 512 };

static const struct schema_field *find_field(const struct schema *schema, const char *name)
{
	for (const struct schema_field *f = schema->fields; f->name != NULL; f++) {
		if (strcmp(f->name, name) == 0)
			return f;
	}
	return NULL;
}

const struct schema *schema_member(const struct schema *schema, const char *name)
{
	if (schema->type == SCHEMA_MAP)
		return schema->element;
	if (schema->type != SCHEMA_STRUCT)
		return NULL;
	const struct schema_field *f = find_field(schema, name);
	return f != NULL ? f->schema : NULL;
}

bool schema_is_granular(const struct schema *schema)
{
	switch (schema->type) {
	case SCHEMA_STRUCT:
	case SCHEMA_MAP:
		return !schema->atomic;
	case SCHEMA_LIST:
	case SCHEMA_SET:
		return true;
	default:
		return false;
	}
}

/* ---- types ----------------------------------------------------------------------------------- */

static bool is_type(const struct schema *schema, const json_t *value)
{
	switch (schema->type) {
	case SCHEMA_STRUCT:
	case SCHEMA_MAP:
		return json_is_object(value);
	case SCHEMA_LIST:
	case SCHEMA_SET:
	case SCHEMA_ARRAY:
		return json_is_array(value);
	case SCHEMA_STRING:
		return json_is_string(value);
	case SCHEMA_INTEGER:
		return json_is_integer(value);
	case SCHEMA_BOOLEAN:
		return json_is_boolean(value);
	case SCHEMA_QUANTITY:
	case SCHEMA_INT_OR_STRING:
		return json_is_string(value) || json_is_number(value);
	case SCHEMA_ANY:
		break;
	}
	return true;
}

static const char *expected_words(enum schema_type type)
{
	static const char *const words[] = {
		[SCHEMA_STRUCT] = "map",
		[SCHEMA_MAP] = "map",
		[SCHEMA_LIST] = "list",
		[SCHEMA_SET] = "list",
		[SCHEMA_ARRAY] = "list",
		[SCHEMA_STRING] = "string",
		[SCHEMA_BOOLEAN] = "boolean",
		[SCHEMA_INTEGER] = "numeric (int or float)",
		[SCHEMA_QUANTITY] = "string",
		[SCHEMA_INT_OR_STRING] = "string",
		[SCHEMA_ANY] = "",
	};

	return words[type];
}

static const char *type_words(const json_t *value)
{
	static const char *const words[] = {
		[JSON_OBJECT] = "map",      [JSON_ARRAY] = "list", [JSON_STRING] = "string",
		[JSON_INTEGER] = "integer", [JSON_REAL] = "float", [JSON_TRUE] = "bool",
		[JSON_FALSE] = "bool",      [JSON_NULL] = "null",
	};

	return words[json_typeof(value)];
}

/* ---- walking --------------------------------------------------------------------------------- */

/* A walk stops at the first problem that `fault` reports; the path then points to it. */

enum problem { PROBLEM_NONE, PROBLEM_UNKNOWN, PROBLEM_TYPE };

struct finding {
	enum problem problem;
	const struct schema *schema;
	const json_t *value;
	char path[PATH_MAX_LENGTH];
};

static void prepend(struct finding *f, const char *part)
{
	char joined[PATH_MAX_LENGTH];

	snprintf(joined, sizeof(joined), "%.200s%.300s", part, f->path);
	memcpy(f->path, joined, sizeof(joined));
}

static bool inspect(const struct schema *schema, const json_t *value, struct finding *f);

static bool inspect_members(const struct schema *schema, const json_t *value, struct finding *f)
{
	const char *name;
	const json_t *member;
	char part[256];

	for (void *i = json_object_iter((json_t *)(uintptr_t)value); i != NULL;
	     i = json_object_iter_next((json_t *)(uintptr_t)value, i)) {
		name = json_object_iter_key(i);
		member = json_object_iter_value(i);
		snprintf(part, sizeof(part), ".%.250s", name);
		const struct schema *s = schema_member(schema, name);
		if (s == NULL)
			*f = (struct finding) { .problem = PROBLEM_UNKNOWN };
		if (s == NULL || !inspect(s, member, f)) {
			prepend(f, part);
			return false;
		}
	}
	return true;
}

/* Items of an associative list are named by their keys, others by their index. */
static void write_item(const struct schema *schema, const json_t *item, size_t place, char *to,
		       size_t size)
{
	size_t length = 0;

	if (schema->type != SCHEMA_LIST || !json_is_object(item)) {
		snprintf(to, size, "[%zu]", place);
		return;
	}
	for (size_t i = 0; i < SCHEMA_KEYS_MAX && schema->keys[i] != NULL; i++) {
		CLEANUP(cleanup_free)
		char *value = json_dumps(json_object_get(item, schema->keys[i]), JSON_ENCODE_ANY);
		int more = snprintf(to + length, size - length, "%s%s=%.80s", i > 0 ? "," : "[",
				    schema->keys[i], value != NULL ? value : "");
		length += (size_t)more;
	}
	snprintf(to + length, size - length, "]");
}

static bool inspect_items(const struct schema *schema, const json_t *value, struct finding *f)
{
	size_t i;
	json_t *item;
	char part[256];

	json_array_foreach(value, i, item)
	{
		if (schema->element == NULL || inspect(schema->element, item, f))
			continue;
		write_item(schema, item, i, part, sizeof(part));
		prepend(f, part);
		return false;
	}
	return true;
}

static bool inspect(const struct schema *schema, const json_t *value, struct finding *f)
{
	if (json_is_null(value))
		return true;
	if (!is_type(schema, value)) {
		*f = (struct finding) { PROBLEM_TYPE, schema, value, "" };
		return false;
	}
	if (json_is_object(value) && schema->type != SCHEMA_ANY)
		return inspect_members(schema, value, f);
	if (json_is_array(value) && schema->type != SCHEMA_ANY)
		return inspect_items(schema, value, f);
	return true;
}

int schema_check_typed(const struct schema *schema, const json_t *object, const char *subject,
		       struct refusal *r)
{
	struct finding f;

	if (inspect(schema, object, &f))
		return 0;
	if (f.problem == PROBLEM_UNKNOWN)
		return refuse(r, 500, "",
			      "failed to create typed patch object %s: %s: field not declared in "
			      "schema",
			      subject, f.path);
	return refuse(r, 500, "", "failed to create typed patch object %s: %s: expected %s, got %s",
		      subject, f.path, expected_words(f.schema->type), type_words(f.value));
}

int schema_check_types(const struct schema *schema, const json_t *object, const char *kind,
		       struct refusal *r)
{
	struct finding f;

	if (inspect(schema, object, &f) || f.problem != PROBLEM_TYPE)
		return 0;
	return refuse_bad_request(r,
				  "%s in version \"v1\" cannot be handled as a %s: json: cannot "
				  "unmarshal %s into Go struct field %s of type %s",
				  kind, kind, type_words(f.value), f.path + 1,
				  expected_words(f.schema->type));
}

/* ---- pruning --------------------------------------------------------------------------------- */

struct pruning {
	size_t count;
	char *path; /* of the first problem */
	size_t size;
};

static void prune(const struct schema *schema, json_t *value, const char *path, struct pruning *p)
{
	const char *name;
	json_t *member;
	void *next;
	size_t i;
	char here[PATH_MAX_LENGTH];

	if (schema->type == SCHEMA_ANY)
		return;
	json_object_foreach_safe(value, next, name, member)
	{
		const struct schema *s = schema_member(schema, name);
		snprintf(here, sizeof(here), "%.250s%s%.250s", path, path[0] != '\0' ? "." : "",
			 name);
		if (s != NULL) {
			prune(s, member, here, p);
			continue;
		}
		if (p->count++ == 0)
			snprintf(p->path, p->size, "%s", here);
		json_object_del(value, name);
	}
	json_array_foreach(value, i, member)
	{
		snprintf(here, sizeof(here), "%.250s[%zu]", path, i);
		if (schema->element != NULL)
			prune(schema->element, member, here, p);
	}
}

size_t schema_prune(const struct schema *schema, json_t *object, char *ret_path, size_t size)
{
	struct pruning p = { .path = ret_path, .size = size };

	prune(schema, object, "", &p);
	return p.count;
}

/* ---- defaults -------------------------------------------------------------------------------- */

static void default_fields(const struct schema *schema, json_t *object)
{
	for (const struct schema_field *f = schema->fields; f->name != NULL; f++) {
		json_t *member = json_object_get(object, f->name);
		if (json_is_null(member))
			json_object_del(object, f->name);
		if ((member == NULL || json_is_null(member)) && f->default_json != NULL) {
			member = json_loads(f->default_json, JSON_DECODE_ANY, NULL);
			json_object_set_new(object, f->name, member);
		}
	}
}

/* Quantities are stored in canonical form, as decoding and encoding would produce. */
static void canonical_quantity(json_t *value)
{
	char text[QUANTITY_TEXT_MAX];

	if (json_is_string(value) && quantity_canonical_text(json_string_value(value), text))
		json_string_set(value, text);
}

void schema_default(const struct schema *schema, json_t *value)
{
	const char *name;
	json_t *member;
	size_t i;

	if (schema->type == SCHEMA_QUANTITY)
		canonical_quantity(value);
	if (schema->type == SCHEMA_STRUCT && json_is_object(value))
		default_fields(schema, value);
	json_object_foreach(value, name, member)
	{
		const struct schema *s = schema_member(schema, name);
		if (s != NULL)
			schema_default(s, member);
	}
	json_array_foreach(value, i, member)
	{
		if (schema->element != NULL)
			schema_default(schema->element, member);
	}
}

/* ---- associative lists ----------------------------------------------------------------------- */

char *schema_item_key(const struct schema *list, const json_t *item)
{
	CLEANUP(json_decrefp) json_t *key = json_object();

	for (size_t i = 0; i < SCHEMA_KEYS_MAX && list->keys[i] != NULL; i++) {
		const char *name = list->keys[i];
		json_t *value = json_object_get(item, name);
		const struct schema_field *f = find_field(list->element, name);
		if (value != NULL)
			json_object_set(key, name, value);
		else if (f != NULL && f->default_json != NULL)
			json_object_set_new(key, name,
					    json_loads(f->default_json, JSON_DECODE_ANY, NULL));
		else
			json_object_set_new(key, name, json_string(""));
	}
	return json_dumps(key, JSON_COMPACT);
}

json_t *schema_find_item(const struct schema *list, const json_t *items, const char *key)
{
	size_t i;
	json_t *item;

	json_array_foreach(items, i, item)
	{
		CLEANUP(cleanup_free) char *found = schema_item_key(list, item);
		if (found != NULL && strcmp(found, key) == 0)
			return item;
	}
	return NULL;
}
