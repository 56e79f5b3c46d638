#ifndef FSA_STORE_OPERATOR_H
#define FSA_STORE_OPERATOR_H

#include "base/conf.h"
#include "base/err.h"
#include "db/db.h"

/* Writes what this host's fsa.conf says about new sandboxes and databases, and about limits, to the
 * database, from where triggers take it (sql/0017_operator.sql): api.fcgi has no say in it. An
 * option without a value leaves what another host has written. */
int operator_publish(struct db *db, const struct conf *conf, struct err *e);

#endif
