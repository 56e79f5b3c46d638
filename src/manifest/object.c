#include "manifest/object.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/quantity.h"
#include "crypto/token.h"

/* Constant for jansson: references to these are not counted. */
json_t object_end = { JSON_NULL, (size_t)-1 };
json_t object_absent = { JSON_NULL, (size_t)-1 };

/* Steals all members, even those after one that is NULL because it could not be made. */
json_t *object_map(const struct object_member *members)
{
	json_t *map = json_object();
	bool complete = true;

	for (; members->name != NULL; members++) {
		if (members->value != &object_absent)
			complete = json_object_set_new(map, members->name, members->value) == 0 &&
				   complete;
	}
	if (complete)
		return map;
	json_decref(map);
	return NULL;
}

json_t *object_list(json_t *const *items)
{
	json_t *list = json_array();
	bool complete = true;

	for (; *items != &object_end; items++) {
		if (*items != &object_absent)
			complete = json_array_append_new(list, *items) == 0 && complete;
	}
	if (complete)
		return list;
	json_decref(list);
	return NULL;
}

json_t *object_quantity(const char *text)
{
	char canonical[QUANTITY_MAX];

	if (text == NULL)
		return NULL;
	return json_string(quantity_canonical(text, canonical) ? canonical : text);
}

json_t *object_join(json_t *map, json_t *more)
{
	if (map != NULL && more != NULL && json_object_update(map, more) == 0) {
		json_decref(more);
		return map;
	}
	json_decref(map);
	json_decref(more);
	return NULL;
}

json_t *object_make(const struct object_head *head, json_t *labels, json_t *annotations,
		    json_t *others)
{
	json_t *object = MAP({ "apiVersion", TEXT(head->api_version) },
			     { "kind", TEXT(head->kind) },
			     { "metadata",
			       MAP({ "name", TEXT(head->name) },
				   { "namespace", TEXT(head->namespace) },
				   { "labels", labels },
				   { "annotations", annotations }) });

	return object_join(object, others);
}

void object_hash(const json_t *json, char ret_hex[65])
{
	CLEANUP(cleanup_free) char *text = json_dumps(json, JSON_SORT_KEYS | JSON_COMPACT);

	sha256_hex(text, strlen(text), ret_hex);
}
