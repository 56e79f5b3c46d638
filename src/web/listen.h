#ifndef FSA_WEB_LISTEN_H
#define FSA_WEB_LISTEN_H

#include "base/err.h"

/* A listening unix socket at `path`, mode 0660. An existing socket that nobody listens on is
 * replaced; anything else there is ERR_CONFLICT. The caller closes it and removes the file. */
int listen_unix(const char *path, int *ret_fd, struct err *e);

#endif
