#ifndef FSA_STORE_WARNINGS_H
#define FSA_STORE_WARNINGS_H

#include <jansson.h>

/* A row's warnings as people are shown them: an array of {code, message, since, headline, action},
 * from the column as it is stored (NULL: there are none). The last two are null for a code of
 * another version. The caller json_decref()s. */
json_t *warnings_json(const char *stored);

#endif
