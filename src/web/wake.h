#ifndef FSA_WEB_WAKE_H
#define FSA_WEB_WAKE_H

#include "base/err.h"

/* Wakes the reconciler: touches a file that a systemd path unit watches. It is only a hint, as the
 * reconciler comes by itself every few seconds. ERR_INTERNAL: the file cannot be written. */
int wake(const char *path, struct err *e);

#endif
