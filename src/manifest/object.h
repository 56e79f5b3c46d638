#ifndef FSA_MANIFEST_OBJECT_H
#define FSA_MANIFEST_OBJECT_H

#include <stdbool.h>

#include <jansson.h>

/*
 * JSON by nested builders, in which an object has the shape of its YAML:
 *
 *	MAP({ "podSelector", MAP({ "matchLabels", MAP({ "app", TEXT(name) }) }) },
 *	    { "policyTypes", LIST(TEXT("Ingress"), TEXT("Egress")) })
 *
 * Each takes its parts: they are released with it. A NULL among them (a string that is not UTF-8)
 * makes the whole NULL.
 */
#define MAP(...)       object_map((const struct object_member[]) { __VA_ARGS__, { NULL, NULL } })
#define LIST(...)      object_list((json_t *const[]) { __VA_ARGS__, &object_end })
#define TEXT(string)   json_string(string)
#define NUMBER(number) json_integer(number)
#define FLAG(flag)     json_boolean(flag)
/* A quantity, in the form in which the API server gives it back. */
#define QUANTITY(text) object_quantity(text)
/* A member or an item that is only there under a condition. */
#define IF(condition, value) ((condition) ? (value) : &object_absent)

struct object_member {
	const char *name;
	json_t *value;
};

extern json_t object_end, object_absent; /* marks, and no values */

json_t *object_map(const struct object_member *members);
json_t *object_list(json_t *const *items);
json_t *object_quantity(const char *text);

/* apiVersion, kind and metadata of an object. */
struct object_head {
	const char *api_version, *kind, *name, *namespace;
};
/* A whole object: its head, labels, annotations and body (the other members, a MAP). Takes
 * ownership of all; `annotations` may be IF(). */
json_t *object_make(const struct object_head *head, json_t *labels, json_t *annotations,
		    json_t *others);

/* A map with the members of another one added; takes ownership of both. */
json_t *object_join(json_t *map, json_t *more);

/* SHA-256 of the JSON, in hex. Not only of this layer. */
void object_hash(const json_t *json, char ret_hex[65]);

#endif
