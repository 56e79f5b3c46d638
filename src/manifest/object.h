#ifndef FSA_MANIFEST_OBJECT_H
#define FSA_MANIFEST_OBJECT_H

#include <jansson.h>

/*
 * Parts that all our objects are made of. Of this layer only.
 *
 * As with json_pack(), a NULL among the parts (a string that is not UTF-8) makes the whole NULL,
 * and what is marked "taken" is released with it.
 */

/* apiVersion, kind and metadata. `labels` and `annotations` are taken; annotations may be NULL. */
json_t *object_make(const char *api_version, const char *kind, const char *name,
		    const char *namespace, json_t *labels, json_t *annotations);
/* Adds a member at the top, `spec` for example. Both are taken; gives the object. */
json_t *object_with(json_t *object, const char *member, json_t *value);

/* A quantity in the form that the API server gives back. NULL in, NULL out. */
json_t *object_quantity(const char *text);
/* {"requests": …, "limits": …}; both are taken. */
json_t *object_resources(json_t *requests, json_t *limits);

/* An array of `count` objects, all taken. */
json_t *object_list(json_t *const *objects, size_t count);
/* SHA-256 of the JSON, in hex. */
void object_hash(const json_t *json, char ret_hex[65]);

#endif
