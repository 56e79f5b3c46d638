#ifndef FSA_CTL_LOOK_H
#define FSA_CTL_LOOK_H

#include <jansson.h>

#include "ctl/command.h"
#include "db/db.h"

/*
 * Observes a project's objects in the cluster with the reconciler's own functions (observe,
 * desired, assess, decide), without changing anything. Adds a member `look` to each of `resources`
 * (from admin_resources()): what is observed and what a pass would do, or the error. Needs the
 * private keys. ERR_INVALID names the option or file that is wrong.
 */
int look_at_project(const struct call *call, struct db *db, const char *project_id,
		    json_t *resources, struct err *e);

#endif
