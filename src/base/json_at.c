#include "base/json_at.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static json_t *step(const json_t *json, const char *name, size_t length)
{
	if (json_is_array(json) && isdigit((unsigned char)name[0]))
		return json_array_get(json, strtoul(name, NULL, 10));
	return json_object_getn(json, name, length);
}

json_t *json_at(const json_t *json, const char *path)
{
	size_t length = strcspn(path, ".");
	json_t *found = step(json, path, length);

	while (found != NULL && path[length] == '.') {
		path += length + 1;
		length = strcspn(path, ".");
		found = step(found, path, length);
	}
	return found;
}

const char *json_text(const json_t *value)
{
	const char *text = json_string_value(value);

	return text != NULL ? text : "";
}

const char *json_text_at(const json_t *json, const char *path)
{
	return json_text(json_at(json, path));
}

json_int_t json_number_at(const json_t *json, const char *path)
{
	return json_integer_value(json_at(json, path));
}
