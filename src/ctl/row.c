#include "ctl/row.h"

const char *row_text(const json_t *row, const char *member)
{
	const char *text = json_string_value(json_object_get(row, member));

	return text ? text : "";
}

const char *row_text_or_null(const json_t *row, const char *member)
{
	const char *text = row_text(row, member);

	return text[0] != '\0' ? text : NULL;
}

int64_t row_number(const json_t *row, const char *member)
{
	return json_integer_value(json_object_get(row, member));
}
