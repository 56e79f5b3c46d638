#ifndef FSA_RECONCILE_LAST_CONF_H
#define FSA_RECONCILE_LAST_CONF_H

#include "base/conf.h"
#include "base/err.h"

/*
 * Each pass is a process of its own, which reads fsa.conf: a file that has become wrong would stop
 * what runs. So each leaves a copy of what it has read in $RUNTIME_DIRECTORY (systemd's
 * RuntimeDirectory=), and goes on by the last one that was right. Each wrong file is logged once.
 */

/* What `path` says, or if it is wrong, what it said last. -1: it is wrong, and there is no such
 * copy. `ret_wrong` says what is wrong; empty: nothing. The caller frees with conf_free(). */
int last_conf_load(const char *path, struct conf **ret_conf, struct err *ret_wrong);

#endif
