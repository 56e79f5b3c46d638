#include "web/field_schema.h"

#include "base/cleanup.h"
#include "web/json.h"

static void set_limits(json_t *schema, const struct field *f, const char *min, const char *max)
{
	if (f->min != 0)
		json_object_set_new(schema, min, json_integer(f->min));
	json_object_set_new(schema, max, json_integer(f->max));
}

static json_t *string_schema(const struct field *f)
{
	json_t *schema = json_pack("{s:s}", "type", "string");

	set_limits(schema, f, "minLength", "maxLength");
	if (f->pattern != NULL)
		json_object_set_new(schema, "pattern", json_string(f->pattern));
	return schema;
}

static json_t *integer_schema(const struct field *f)
{
	/* 0 is a limit, too: the check refuses what is negative. */
	return json_pack("{s:s, s:I, s:I}", "type", "integer", "minimum", (json_int_t)f->min,
			 "maximum", (json_int_t)f->max);
}

static json_t *bool_schema(const struct field *f)
{
	(void)f;
	return json_pack("{s:s}", "type", "boolean");
}

static json_t *string_map_schema(const struct field *f)
{
	json_t *schema = json_pack("{s:s, s:{s:s}}", "type", "object", "additionalProperties",
				   "type", "string");

	set_limits(schema, f, "minProperties", "maxProperties");
	if (f->pattern != NULL)
		json_object_set_new(schema, "propertyNames",
				    json_pack("{s:s}", "pattern", f->pattern));
	return schema;
}

static json_t *strings_schema(const struct field *f)
{
	json_t *schema = json_pack("{s:s, s:{s:s}}", "type", "array", "items", "type", "string");

	set_limits(schema, f, "minItems", "maxItems");
	if (f->pattern != NULL)
		json_object_set_new(json_object_get(schema, "items"), "pattern",
				    json_string(f->pattern));
	return schema;
}

static json_t *objects_schema(const struct field *f)
{
	json_t *schema =
		json_pack("{s:s, s:o}", "type", "array", "items", fields_schema(f->members));

	set_limits(schema, f, "minItems", "maxItems");
	return schema;
}

static json_t *object_schema(const struct field *f)
{
	return fields_schema(f->members);
}

static json_t *(*const schemas[])(const struct field *f) = {
	[FIELD_STRING] = string_schema,   [FIELD_INTEGER] = integer_schema,
	[FIELD_BOOL] = bool_schema,       [FIELD_STRING_MAP] = string_map_schema,
	[FIELD_STRINGS] = strings_schema, [FIELD_OBJECTS] = objects_schema,
	[FIELD_OBJECT] = object_schema,
};

json_t *fields_schema(const struct field *fields)
{
	json_t *properties = json_object();
	json_t *required = json_array();

	for (const struct field *f = fields; f != NULL && f->name != NULL; f++) {
		json_t *schema = schemas[f->type](f);
		if (f->nullable)
			json_object_set_new(schema, "type",
					    json_pack("[o, s]",
						      json_incref(json_object_get(schema, "type")),
						      "null"));
		json_object_set_new(properties, f->name, schema);
		if (f->required)
			json_array_append_new(required, json_string(f->name));
	}
	return json_pack("{s:s, s:o, s:o, s:b}", "type", "object", "properties", properties,
			 "required", required, "additionalProperties", 0);
}
