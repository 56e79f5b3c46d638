#ifndef FSA_CLI_DEVICE_H
#define FSA_CLI_DEVICE_H

#include "site.h"

/* Gets an API token by a code that a person types into the console, in any browser (RFC 8628).
 * ERR_NOT_FOUND: the site is older than this. The caller frees the token, and wipes it before. */
int device_log_in(struct site *site, char **ret_token, struct err *e);

#endif
