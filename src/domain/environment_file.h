#ifndef FSA_DOMAIN_ENVIRONMENT_FILE_H
#define FSA_DOMAIN_ENVIRONMENT_FILE_H

#include <jansson.h>

#include "base/err.h"

/* An operator's file of variables: lines of NAME=value; blank ones and '#' comments are skipped.
 * Returns name → value; NULL for a file is none. ERR_INVALID names the line. */
int environment_read_file(const char *file, json_t **ret_environment, struct err *e);

#endif
