#include "store/warnings.h"

#include "domain/warning.h"

static json_t *text(const char *string)
{
	return string != NULL ? json_string(string) : json_null();
}

json_t *warnings_json(const char *stored)
{
	json_t *warnings = stored != NULL ? json_loads(stored, 0, NULL) : NULL;
	size_t i;
	json_t *warning;

	if (warnings == NULL)
		return json_array();
	json_array_foreach(warnings, i, warning)
	{
		const struct warning_text *words =
			warning_text_of(json_string_value(json_object_get(warning, "code")));
		(void)json_object_set_new(warning, "headline",
					  text(words ? words->headline : NULL));
		(void)json_object_set_new(warning, "action", text(words ? words->action : NULL));
	}
	return warnings;
}
