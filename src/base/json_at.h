#ifndef FSA_BASE_JSON_AT_H
#define FSA_BASE_JSON_AT_H

#include <jansson.h>

/*
 * What JSON has at a path of members and indexes, such as "status.conditions.0.type". Whatever is
 * missing on the way, or is of another type than the path says, is as good as absent. Borrowed.
 * Members whose name is not a literal, or has dots in it as a label's, are json_object_get()'s.
 */

/* NULL: nothing is there. */
json_t *json_at(const json_t *json, const char *path);
/* "" where there is no string. */
const char *json_text_at(const json_t *json, const char *path);
/* 0 where there is no integer. */
json_int_t json_number_at(const json_t *json, const char *path);

/* A value's own text, "" if it is no string. */
const char *json_text(const json_t *value);

#endif
