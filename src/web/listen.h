#ifndef FSA_WEB_LISTEN_H
#define FSA_WEB_LISTEN_H

#include "base/err.h"

/* A listening unix socket at `path`, mode 0660. What is there already is replaced if it is a socket
 * that nobody listens on, else ERR_CONFLICT. The caller closes it and removes the file. */
int listen_unix(const char *path, int *ret_fd, struct err *e);

#endif
