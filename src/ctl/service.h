#ifndef FSA_CTL_SERVICE_H
#define FSA_CTL_SERVICE_H

#include <stdbool.h>

/* Opens a file for reading as the user of a service, in a process of its own, because root could
 * read everything. `*ret_error` is that user's errno, or 0. False: there is no such user here.
 * Needs root. */
bool service_open(const char *user, const char *path, int *ret_error);

#endif
