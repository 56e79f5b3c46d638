#ifndef FSA_RECONCILE_ANNOUNCE_H
#define FSA_RECONCILE_ANNOUNCE_H

#include "reconcile/pass.h"

/* The name of this host, for people. */
const char *announce_host(void);

/* Leaves in the database that a pass is at work here, and with which keys, as
 * pass_host_announce(). */
int announce_pass(const struct reconciler *r, char **ret_foreign_keys, struct err *e);

#endif
