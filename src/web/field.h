#ifndef FSA_WEB_FIELD_H
#define FSA_WEB_FIELD_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "base/err.h"
#include "web/query.h"

/*
 * Field tables: what a route takes, in its body and in its query. A handler sees only what passed
 * its table: every member known, of its type, within its limits, accepted by its checker. What is
 * wrong is ERR_INVALID, and the message begins with the member's name: MISSING_FIELD,
 * UNKNOWN_FIELD, WRONG_TYPE, INVALID_FIELD, or the checker's own code.
 *
 * A table is an array that ends with a row without name (FIELDS_END).
 */
enum field_type {
	FIELD_STRING,
	FIELD_INTEGER,
	FIELD_BOOL,
	FIELD_STRING_MAP, /* an object of strings */
	FIELD_STRINGS,    /* an array of strings */
	FIELD_OBJECTS,    /* an array of objects, each by the table `members` */
	FIELD_OBJECT,     /* an object by that table */
};

typedef int field_check_fn(const char *value, struct err *e);

struct field {
	const char *name;
	enum field_type type;
	bool required;
	bool nullable;       /* null is a value too: it takes away what was there */
	int64_t min, max;    /* bytes of a string, value of an integer, count of the others */
	const char *pattern; /* of a string, or each of several, for the schema: what `check` takes;
				of a map, of its keys: what `check_key` takes; or NULL */
	field_check_fn
		*check; /* of a string, of each of several, of each value of a map; or NULL */
	field_check_fn *check_key; /* of each key of a map; or NULL */
	const struct field *members;
};

#define FIELDS_END                                                                                 \
	{                                                                                          \
		.name = NULL                                                                       \
	}

/* Whether `object` is what the table says; it is not changed (jansson iterates non-const only).
 * `fields` NULL: it must be empty. */
int fields_check(const struct field *fields, json_t *object, struct err *e);
/* An object of the query's parameters, with integers and booleans converted, and checked as above.
 * `extensible`: parameters that are not in the table are left out. The caller json_decref()s. */
int fields_from_query(const struct field *fields, const struct query *query, bool extensible,
		      json_t **ret_object, struct err *e);

/* Reading what passed: NULL, or the default, if it was not given. Strings are the object's. */
const char *field_string(const json_t *object, const char *name);
int64_t field_integer(const json_t *object, const char *name, int64_t otherwise);
bool field_bool(const json_t *object, const char *name, bool otherwise);
/* Whether it was given at all, as null or not. */
bool field_given(const json_t *object, const char *name);

#endif
