#ifndef FSA_BASE_LOCKFILE_H
#define FSA_BASE_LOCKFILE_H

#include <stdbool.h>

#include "base/err.h"

/*
 * A file whose lock says that something is so for as long as a process lives: the kernel lets go of
 * it however the process ends. The file's content does not matter, and it stays.
 */

/* Takes the lock, or fails when another process has it (ERR_CONFLICT) or the file cannot be written
 * (ERR_INTERNAL). It is held until the caller closes `*ret_fd`, or any other descriptor of the file
 * (fcntl(2)). */
int lockfile_take(const char *path, int *ret_fd, struct err *e);
/* Whether another process holds it; the file need only be readable. */
bool lockfile_is_held(const char *path);

#endif
