#include "manifest/object.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "crypto/token.h"
#include "manifest/manifest.h"
#include "base/quantity.h"

json_t *object_make(const char *api_version, const char *kind, const char *name,
		    const char *namespace, json_t *labels, json_t *annotations)
{
	return json_pack("{s:s, s:s, s:{s:s, s:s, s:o, s:o*}}", "apiVersion", api_version, "kind",
			 kind, "metadata", "name", name, "namespace", namespace, "labels", labels,
			 "annotations", annotations);
}

json_t *object_with(json_t *object, const char *member, json_t *value)
{
	if (json_object_set_new(object, member, value) == 0)
		return object;
	json_decref(object);
	return NULL;
}

json_t *object_quantity(const char *text)
{
	char canonical[QUANTITY_MAX];

	if (text == NULL)
		return NULL;
	return json_string(quantity_canonical(text, canonical) ? canonical : text);
}

json_t *object_resources(json_t *requests, json_t *limits)
{
	return json_pack("{s:o, s:o}", "requests", requests, "limits", limits);
}

json_t *object_list(json_t *const *objects, size_t count)
{
	json_t *list = json_array();
	bool complete = true;

	/* All are taken, those after one that is missing, too. */
	for (size_t i = 0; i < count; i++)
		complete = json_array_append_new(list, objects[i]) == 0 && complete;
	if (complete)
		return list;
	json_decref(list);
	return NULL;
}

void object_hash(const json_t *json, char ret_hex[65])
{
	CLEANUP(cleanup_free) char *text = json_dumps(json, JSON_SORT_KEYS | JSON_COMPACT);

	sha256_hex(text, strlen(text), ret_hex);
}
