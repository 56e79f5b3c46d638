#ifndef FSA_RECONCILE_FORM_H
#define FSA_RECONCILE_FORM_H

#include <stdbool.h>

#include <jansson.h>

#include "base/err.h"
#include "db/db.h"
#include "kube/client.h"
#include "reconcile/work.h"

/*
 * Which form (domain/types.h) a database takes in its cluster: the one of the newest KubeBlocks
 * that the cluster serves, and the plain one where it serves none. It is found out before the
 * database is first observed, and stored before its first object is made. Later it can only become
 * KUBEBLOCKS_0_9 from KUBEBLOCKS_0_8, of which it is an upgrade in place: looked up when the
 * owner changes something, because the two are stopped in different ways.
 */

/* Whether the form of a row must be looked up before it is observed. */
bool form_is_open(const struct work *w);

/* By the types that the cluster serves in apps.kubeblocks.io/v1 and v1alpha1 (APIResourceLists);
 * NULL: none. */
enum database_form form_of_types(const json_t *v1, const json_t *alpha);
/* Whether an answer to kube_submit_types() says that there are none. */
bool form_is_absence(const struct err *e);

/* One lookup; it must outlive its requests. */
struct form_lookup {
	void (*done)(void *user, enum database_form form, const struct err *failure);
	void *user;
	unsigned pending;
	json_t *v1, *alpha; /* what the cluster serves of KubeBlocks; NULL: nothing */
	bool failed;
	struct err failure; /* the first */
};
/* Calls `done` once, from kube_client_poll(); `failure` NULL: `form` was found. */
void form_look_up(struct form_lookup *lookup, struct kube_client *client,
		  struct kube_target *target);

/* Decides an open form by what was found, if that is possible for the row; its kind follows. A
 * plain database gets a password. ERR_CONFLICT and errors of the database: nothing is decided. */
int form_decide(struct work *w, struct db *db, enum database_form found, struct err *e);

#endif
