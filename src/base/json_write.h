#ifndef FSA_BASE_JSON_WRITE_H
#define FSA_BASE_JSON_WRITE_H

#include <jansson.h>

/* As json_dumps() with JSON_COMPACT, in a third of its time: that decodes every character of every
 * string, which was a third of what a GET cost. The caller frees. */
char *json_write(const json_t *json);

#endif
