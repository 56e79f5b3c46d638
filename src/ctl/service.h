#ifndef FSA_CTL_SERVICE_H
#define FSA_CTL_SERVICE_H

#include <stdbool.h>

/* Opens a file for reading as the user that a service runs as, in a process of its own: root reads
 * everything and would find nothing wrong. `*ret_error` is what that user meets (errno), or 0.
 * False: there is no such user here. Needs root. */
bool service_open(const char *user, const char *path, int *ret_error);

#endif
