#include "web/members.h"

#include <stdbool.h>
#include <stdint.h>

json_t *member_text(const void *field)
{
	const char *text = *(const char *const *)field;

	return text != NULL ? json_string(text) : json_null();
}

json_t *member_int64(const void *field)
{
	return json_integer(*(const int64_t *)field);
}

json_t *member_bool(const void *field)
{
	return json_boolean(*(const bool *)field);
}

void members_add(json_t *object, const struct member *members, const void *row)
{
	for (const struct member *m = members; m->name != NULL; m++) {
		if (m->name[0] != '\0')
			json_object_set_new_nocheck(object, m->name,
						    m->render((const char *)row + m->offset));
	}
}

json_t *members_object(const struct member *members, const void *row)
{
	json_t *object = json_object();

	members_add(object, members, row);
	return object;
}
