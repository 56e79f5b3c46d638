#ifndef FSA_WEB_FIELD_SCHEMA_H
#define FSA_WEB_FIELD_SCHEMA_H

#include <jansson.h>

#include "web/field.h"

/* A field table as JSON Schema (draft 2020-12), for clients: what passes the table is valid by the
 * schema. The reverse does not hold: lengths of strings are bytes in the table and characters in
 * the schema, and the checkers know more. NULL: an object without members. The caller
 * json_decref()s. */
json_t *fields_schema(const struct field *fields);

#endif
