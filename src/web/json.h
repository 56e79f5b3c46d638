#ifndef FSA_WEB_JSON_H
#define FSA_WEB_JSON_H

#include <stddef.h>

#include <jansson.h>

#include "base/err.h"

/* JSON from strangers (RFC 8259, held to I-JSON's rules, RFC 7493): an object at the top, no
 * member twice, no NUL, well-formed UTF-8, nested at most JSON_DEPTH_MAX deep, nothing after it.
 * ERR_INVALID with code INVALID_JSON names line and column. The caller json_decref()s. */
enum { JSON_DEPTH_MAX = 16 };

int json_read_object(const char *text, size_t length, json_t **ret_object, struct err *e);
#endif
