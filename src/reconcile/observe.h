#ifndef FSA_RECONCILE_OBSERVE_H
#define FSA_RECONCILE_OBSERVE_H

#include <stdbool.h>
#include <time.h>

#include <jansson.h>

#include "base/err.h"
#include "kube/client.h"

/*
 * The objects of some rows in one namespace: for each type one list, requested once for all rows,
 * indexed by the resource that an object belongs to.
 */
struct observation;

/* Whose objects are listed. */
struct observe_subject {
	const char *id;       /* of the resource */
	const char *instance; /* the value of OBSERVE_INSTANCE, for kinds that have it; or NULL */
};

#define OBSERVE(type) (1U << (type))
/* The claims that an operator, such as KubeBlocks, creates for one of our objects. They do not have
 * our labels but the operator's, among them this one with the object's name. */
#define OBSERVE_INSTANCE_CLAIMS OBSERVE(KUBE_RESOURCE_COUNT)
#define OBSERVE_INSTANCE        "app.kubernetes.io/instance"

typedef void observe_done_fn(void *user);

struct observe_query {
	unsigned lists;   /* as OBSERVE() */
	unsigned brief;   /* of these, those whose objects need not be compared: see observe.c */
	unsigned anchors; /* of these, those of which more than metadata is needed even then */
	const struct observe_subject *subjects; /* at least one */
	size_t count;
};
/* Starts the lists; `done` is called once, when the last has been answered, from
 * kube_client_poll(). The caller frees with observation_free(), not before that. */
struct observation *observation_start(struct kube_client *client, struct kube_target *target,
				      const struct observe_query *query, observe_done_fn *done,
				      void *user);
/* Reads `lists`, some of the brief ones, anew and in full, and calls `done` once more. */
void observation_complete(struct observation *o, unsigned lists);
/* As OBSERVE(): the brief ones. */
unsigned observation_brief(const struct observation *o);
void observation_free(struct observation *o);

/* Whether all of `lists` were answered; otherwise -1 and the first error (`e` may be NULL). */
int observation_check(const struct observation *o, unsigned lists, struct err *e);

/* The server's clock when it answered, 0: it does not say. */
time_t observation_date(const struct observation *o);

/* Whether a type was listed, and the objects of it that belong to a resource: a borrowed array,
 * NULL for none. */
bool observation_has(const struct observation *o, enum kube_resource kind);
const json_t *observation_of(const struct observation *o, enum kube_resource kind,
			     const char *resource_id);
/* The one of these objects that is called `name`; NULL if there is none. Borrowed. */
const json_t *observation_object(const struct observation *o, enum kube_resource kind,
				 const char *resource_id, const char *name);

/* The claims of a resource's volumes, whichever labels they have: as observation_of(). */
const json_t *observation_claims(const struct observation *o, const char *resource_id);

/* An observation from given lists, for tests of the conclusions. `lists` has the plural names of
 * types as members, and "instanceclaims" for OBSERVE_INSTANCE_CLAIMS; each is an array of objects
 * that carry our label; `date` is observation_date(). */
struct observation *observation_from_json(const json_t *lists, time_t date);

#endif
