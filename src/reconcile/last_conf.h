#ifndef FSA_RECONCILE_LAST_CONF_H
#define FSA_RECONCILE_LAST_CONF_H

#include "base/conf.h"
#include "base/err.h"

/*
 * Each pass is a process of its own and reads fsa.conf, so an error in the file would stop a
 * running site. So each pass saves a copy of what it has read in $RUNTIME_DIRECTORY (systemd's
 * RuntimeDirectory=), and a pass that finds errors uses the last valid copy. Each invalid file is
 * logged once.
 */

/* The configuration in `path` or, if that is invalid, the last valid one. -1: it is invalid, and
 * there is no such copy. `ret_wrong` says what is wrong; empty: nothing. The caller frees with
 * conf_free(). */
int last_conf_load(const char *path, struct conf **ret_conf, struct err *ret_wrong);

#endif
