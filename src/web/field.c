#include "web/field.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "web/json.h"

static const char *const type_names[] = {
	[FIELD_STRING] = "a text (a JSON string)",
	[FIELD_INTEGER] = "a whole number",
	[FIELD_BOOL] = "true or false",
	[FIELD_STRING_MAP] = "an object whose members are texts",
	[FIELD_STRINGS] = "an array of texts",
	[FIELD_OBJECTS] = "an array of objects",
	[FIELD_OBJECT] = "an object",
};

static int wrong_type(const struct field *f, struct err *e)
{
	return err_set(e, ERR_INVALID, "WRONG_TYPE", "%s: must be %s", f->name,
		       type_names[f->type]);
}

static int refuse(const struct field *f, struct err *e, const char *why)
{
	return err_set(e, ERR_INVALID, "INVALID_FIELD", "%s: %s", f->name, why);
}

/* Checks a count; `what` is the unit in the message. */
static int check_count(const struct field *f, int64_t count, const char *what, struct err *e)
{
	char why[160] = "must not be empty";

	if (count >= f->min && count <= f->max)
		return 0;
	if (count > f->max)
		(void)snprintf(why, sizeof(why),
			       "has %" PRId64 " %s, and at most %" PRId64 " are allowed", count,
			       what, f->max);
	else if (f->min > 1)
		(void)snprintf(why, sizeof(why),
			       "has %" PRId64 " %s, and must have at least %" PRId64, count, what,
			       f->min);
	return refuse(f, e, why);
}

/* Limits are in bytes; the message says so if the text has characters beyond ASCII. */
static int check_length(const struct field *f, const char *text, size_t length, struct err *e)
{
	size_t ascii = 0;

	for (size_t i = 0; i < length; i++)
		ascii += (unsigned char)text[i] < 0x80;
	return check_count(f, (int64_t)length,
			   ascii == length ? "characters"
					   : "bytes (accented letters and emoji count as several)",
			   e);
}

static int check_string(const struct field *f, json_t *value, struct err *e)
{
	if (!json_is_string(value))
		return wrong_type(f, e);
	if (check_length(f, json_string_value(value), json_string_length(value), e) < 0)
		return -1;
	if (f->check != NULL && f->check(json_string_value(value), e) < 0)
		return err_wrap(e, "%s", f->name);
	return 0;
}

/* 3600.0 is an integer, too (JSON Schema, "integer"), as far as a double is exact. */
static bool read_integer(const json_t *value, int64_t *ret)
{
	const double exact = 9007199254740992.0; /* 2^53 */
	double real = json_real_value(value);

	if (json_is_integer(value)) {
		*ret = json_integer_value(value);
		return true;
	}
	if (!json_is_real(value) || real < -exact || real > exact)
		return false;
	*ret = (int64_t)real;
	return (double)*ret == real;
}

static int check_integer(const struct field *f, json_t *value, struct err *e)
{
	char why[80];
	int64_t number;

	if (!read_integer(value, &number))
		return wrong_type(f, e);
	if (number >= f->min && number <= f->max)
		return 0;
	(void)snprintf(why, sizeof(why), "must be from %" PRId64 " to %" PRId64, f->min, f->max);
	return refuse(f, e, why);
}

static int check_bool(const struct field *f, json_t *value, struct err *e)
{
	return json_is_boolean(value) ? 0 : wrong_type(f, e);
}

static int check_string_map(const struct field *f, json_t *value, struct err *e)
{
	const char *key;
	json_t *member;

	if (!json_is_object(value))
		return wrong_type(f, e);
	if (check_count(f, (int64_t)json_object_size(value), "entries", e) < 0)
		return -1;
	json_object_foreach(value, key, member)
	{
		if (!json_is_string(member))
			return wrong_type(f, e);
		if (f->check_key != NULL && f->check_key(key, e) < 0)
			return err_wrap(e, "%s", f->name);
		if (f->check != NULL && f->check(json_string_value(member), e) < 0)
			return err_wrap(e, "%s.%s", f->name, key);
	}
	return 0;
}

static int check_element(const struct field *f, json_t *element, struct err *e)
{
	if (f->type == FIELD_OBJECTS)
		return fields_check(f->members, element, e);
	return f->check != NULL ? f->check(json_string_value(element), e) : 0;
}

static int check_list(const struct field *f, json_t *value, struct err *e)
{
	size_t index;
	json_t *element;

	if (!json_is_array(value))
		return wrong_type(f, e);
	if (check_count(f, (int64_t)json_array_size(value), "entries", e) < 0)
		return -1;
	json_array_foreach(value, index, element)
	{
		if (f->type == FIELD_OBJECTS ? !json_is_object(element) : !json_is_string(element))
			return wrong_type(f, e);
		if (check_element(f, element, e) < 0)
			return err_wrap(e, "%s[%zu]", f->name, index);
	}
	return 0;
}

static int check_object(const struct field *f, json_t *value, struct err *e)
{
	if (!json_is_object(value))
		return wrong_type(f, e);
	return fields_check(f->members, value, e) < 0 ? err_wrap(e, "%s", f->name) : 0;
}

static int (*const checks[])(const struct field *f, json_t *value, struct err *e) = {
	[FIELD_STRING] = check_string, [FIELD_INTEGER] = check_integer,
	[FIELD_BOOL] = check_bool,     [FIELD_STRING_MAP] = check_string_map,
	[FIELD_STRINGS] = check_list,  [FIELD_OBJECTS] = check_list,
	[FIELD_OBJECT] = check_object,
};

static const struct field *find(const struct field *fields, const char *name)
{
	for (const struct field *f = fields; f != NULL && f->name != NULL; f++) {
		if (strcmp(f->name, name) == 0)
			return f;
	}
	return NULL;
}

static int unknown(const char *name, struct err *e)
{
	return err_set(e, ERR_INVALID, "UNKNOWN_FIELD", "no such field here: %s", name);
}

int fields_check(const struct field *fields, json_t *object, struct err *e)
{
	const char *name;
	json_t *value;

	json_object_foreach(object, name, value)
	{
		const struct field *f = find(fields, name);
		if (f == NULL)
			return unknown(name, e);
		if (json_is_null(value) && f->nullable)
			continue;
		if (checks[f->type](f, value, e) < 0)
			return -1;
	}
	for (const struct field *f = fields; f != NULL && f->name != NULL; f++) {
		if (f->required && json_object_get(object, f->name) == NULL)
			return err_set(e, ERR_INVALID, "MISSING_FIELD", "%s: is required", f->name);
	}
	return 0;
}

/* Converts a query parameter to JSON of the field's type. What cannot be converted stays a string,
 * which the field's check then refuses. */
static json_t *convert(const struct field *f, const char *text)
{
	uint64_t number;
	bool yes;

	if (f->type == FIELD_INTEGER && parse_u64(text, 0, INT64_MAX, &number))
		return json_integer((json_int_t)number);
	if (f->type == FIELD_BOOL && parse_bool(text, &yes))
		return json_boolean(yes);
	return json_string(text);
}

int fields_from_query(const struct field *fields, const struct query *query, bool extensible,
		      json_t **ret_object, struct err *e)
{
	CLEANUP(json_decrefp) json_t *object = json_object();

	for (size_t i = 0; i < query->count; i++) {
		const struct field *f = find(fields, query->pairs[i].name);
		if (f == NULL && extensible)
			continue;
		if (f == NULL)
			return unknown(query->pairs[i].name, e);
		json_object_set_new(object, f->name, convert(f, query->pairs[i].value));
	}
	if (fields_check(fields, object, e) < 0)
		return -1;
	*ret_object = STEAL(object);
	return 0;
}

const char *field_string(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name));
}

int64_t field_integer(const json_t *object, const char *name, int64_t otherwise)
{
	int64_t number;

	return read_integer(json_object_get(object, name), &number) ? number : otherwise;
}

bool field_bool(const json_t *object, const char *name, bool otherwise)
{
	const json_t *value = json_object_get(object, name);

	return json_is_boolean(value) ? json_is_true(value) : otherwise;
}

bool field_given(const json_t *object, const char *name)
{
	return json_object_get(object, name) != NULL;
}
