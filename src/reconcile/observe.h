#ifndef FSA_RECONCILE_OBSERVE_H
#define FSA_RECONCILE_OBSERVE_H

#include <stdbool.h>

#include <jansson.h>

#include "base/err.h"
#include "kube/client.h"

/*
 * What one namespace shows of the objects of some rows: for each kind one list, taken once for all
 * of them, indexed by the resource that an object belongs to.
 */
struct observation;

/* Whose objects are listed. */
struct observe_subject {
	const char *id;       /* of the resource */
	const char *instance; /* of a database: by what KubeBlocks labels what it makes for it */
};

#define OBSERVE(kind) (1U << (kind))
/* The claims that KubeBlocks makes for a database: they carry its labels, and not ours. */
#define OBSERVE_DATABASE_CLAIMS OBSERVE(KUBE_RESOURCE_COUNT)

/* Which kinds a row needs: `ROLLOUT` while something is under way, `APPLIED` for drift, `ALL`, with
 * what others make of ours, for deletion. */
enum {
	OBSERVE_SANDBOX_ROLLOUT = OBSERVE(KUBE_STATEFULSETS) | OBSERVE(KUBE_PODS) |
				  OBSERVE(KUBE_PERSISTENT_VOLUME_CLAIMS),
	OBSERVE_SANDBOX_APPLIED = OBSERVE_SANDBOX_ROLLOUT | OBSERVE(KUBE_SERVICES) |
				  OBSERVE(KUBE_INGRESSES) | OBSERVE(KUBE_NETWORK_POLICIES) |
				  OBSERVE(KUBE_SECRETS),
	OBSERVE_SANDBOX_ALL = OBSERVE_SANDBOX_APPLIED,
	OBSERVE_DATABASE_ROLLOUT = OBSERVE(KUBE_CLUSTERS) | OBSERVE_DATABASE_CLAIMS,
	OBSERVE_DATABASE_ALL = OBSERVE(KUBE_CLUSTERS) | OBSERVE(KUBE_SERVICE_ACCOUNTS) |
			       OBSERVE(KUBE_ROLES) | OBSERVE(KUBE_ROLE_BINDINGS) |
			       OBSERVE(KUBE_NETWORK_POLICIES),
	OBSERVE_DATABASE_APPLIED = OBSERVE_DATABASE_ALL | OBSERVE_DATABASE_CLAIMS,
};

typedef void observe_done_fn(void *user);

/* Starts the lists of `kinds` of at least one subject; `done` is called once, when the last has
 * been answered, from kube_client_poll(). The caller frees with observation_free(), not before
 * that. */
struct observation *observation_start(struct kube_client *client, struct kube_target *target,
				      unsigned kinds, const struct observe_subject *subjects,
				      size_t count, observe_done_fn *done, void *user);
void observation_free(struct observation *o);

/* Whether all of `kinds` were listed; otherwise -1 and the first error (`e` may be NULL). */
int observation_check(const struct observation *o, unsigned kinds, struct err *e);

/* Whether a kind was listed, and the objects of it that belong to a resource: a borrowed array,
 * NULL for none. */
bool observation_has(const struct observation *o, enum kube_resource kind);
const json_t *observation_of(const struct observation *o, enum kube_resource kind,
			     const char *resource_id);
/* The one of these objects that is called `name`; NULL if there is none. Borrowed. */
const json_t *observation_object(const struct observation *o, enum kube_resource kind,
				 const char *resource_id, const char *name);

/* The claims of a resource's volumes, ours or KubeBlocks': as observation_of(). */
const json_t *observation_claims(const struct observation *o, const char *resource_id);

/* An observation from lists that are at hand, for tests of what is concluded from one. `lists` has
 * the plural names of kinds as members, "databaseclaims" for OBSERVE_DATABASE_CLAIMS; each is an
 * array of objects, which carry our label. */
struct observation *observation_from_json(const json_t *lists);

#endif
