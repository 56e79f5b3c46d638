#ifndef KUBESIM_SCHEMA_H
#define KUBESIM_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "refusal.h"

/*
 * What the fields of an object are: the part of the OpenAPI schema that server-side apply needs.
 * Source: the Kubernetes page "Server-Side Apply", "Merge strategy", and the x-kubernetes-list-type
 * markers of the API reference.
 */
enum schema_type {
	SCHEMA_STRUCT, /* named fields, each merged by itself */
	SCHEMA_MAP,    /* any names, all values of one type, each merged by itself */
	SCHEMA_LIST,   /* of structs, told apart by the fields in `keys` */
	SCHEMA_SET,    /* of strings, each merged by itself */
	SCHEMA_ARRAY,  /* owned and replaced as a whole */
	SCHEMA_STRING,
	SCHEMA_INTEGER,
	SCHEMA_BOOLEAN,
	SCHEMA_QUANTITY,
	SCHEMA_INT_OR_STRING,
	SCHEMA_ANY,
};

struct schema_field {
	const char *name;
	const struct schema *schema;
	const char *default_json; /* what a missing one becomes; NULL: nothing */
};

enum { SCHEMA_KEYS_MAX = 2 };

struct schema {
	enum schema_type type;
	bool atomic;                       /* structs and maps: replaced as a whole */
	const struct schema_field *fields; /* SCHEMA_STRUCT; ends with a NULL name */
	const struct schema *element;      /* of maps and lists */
	const char *keys[SCHEMA_KEYS_MAX]; /* SCHEMA_LIST */
};

/* The schema of a member of an object, NULL if it has none of that name. */
const struct schema *schema_member(const struct schema *schema, const char *name);
/* Whether it is merged member by member. */
bool schema_is_granular(const struct schema *schema);

/* Refuses unknown fields and wrong types as "failed to create typed patch object" does: 500, the
 * first field met. `subject`: "(ns/name; apps/v1, Kind=StatefulSet)". */
int schema_check_typed(const struct schema *schema, const json_t *object, const char *subject,
		       struct refusal *r);
/* Takes out the fields that the schema does not know, as decoding does. Returns how many, and the
 * path of the first in `ret_path`. */
size_t schema_prune(const struct schema *schema, json_t *object, char *ret_path, size_t size);
/* As the other way of decoding: 400 for a value of a wrong type. */
int schema_check_types(const struct schema *schema, const json_t *object, const char *kind,
		       struct refusal *r);
/* Fills in missing members of existing parents. */
void schema_default(const struct schema *schema, json_t *object);

/* An item of a SCHEMA_LIST as its key, e.g. {"containerPort":3000,"protocol":"TCP"}: what stands
 * after "k:" in managed fields. A missing key is its default, or "". The caller frees. */
char *schema_item_key(const struct schema *list, const json_t *item);
/* The item with that key, or NULL. Borrowed. */
json_t *schema_find_item(const struct schema *list, const json_t *items, const char *key);

#endif
