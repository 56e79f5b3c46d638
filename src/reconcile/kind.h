#ifndef FSA_RECONCILE_KIND_H
#define FSA_RECONCILE_KIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "crypto/token.h"
#include "domain/warning.h"
#include "manifest/manifest.h"
#include "reconcile/assess.h"
#include "reconcile/desired.h"
#include "reconcile/standstill.h"
#include "reconcile/view.h"
#include "reconcile/warn.h"

struct work;

/*
 * The kinds of resources, a row each: sandbox.c, and a database in each of its forms: database.c,
 * plain.c. No other code asks which kind a row is of: everything that differs between kinds is a
 * member here. Every member is set unless its comment says otherwise.
 */
struct kind {
	/* ---- its objects in the cluster ---- */

	/* The types of its objects, in the order in which they are applied. The last is the anchor:
	 * there is one object of it, which has the row's name and carries the hash of all. */
	const enum kube_resource *objects;
	size_t object_count;
	/* As OBSERVE(): types that controllers create from these and that have our labels. May be
	 * empty. */
	unsigned dependents;
	/* As OBSERVE(): types of which single objects are read by name. May be empty. */
	unsigned fetched;
	/* The types that are listed during a change: in the first moments of a creation, when only
	 * its end matters, and later. */
	unsigned creation, rollout;
	bool may_change; /* a row of it may be one of another form: reconcile/form.h */
	/* The list that contains the claims of its volumes, and the warnings about them. */
	unsigned claims;
	enum warning volume_going, volume_gone;
	/* The objects that its controllers create are found by OBSERVE_INSTANCE and the row's name,
	 * not by our label and the row's id. */
	bool by_instance;

	/* ---- its desired state ---- */

	bool has_environment; /* the project's variables go into it */
	/* The inputs of its manifests. NULL: a secret of the row cannot be opened (`e`). */
	void *(*make_inputs)(const struct desired_context *context, const struct queue_row *row,
			     const struct queue_variables *variables, struct err *e);
	void (*free_inputs)(void *inputs);
	/* As in manifest/manifest.h for each kind. */
	void (*hash)(const void *inputs, const struct manifest_settings *settings,
		     char ret_hash[MANIFEST_HASH_SIZE]);
	json_t *(*companions)(const void *inputs, const struct manifest_settings *settings);
	json_t *(*anchor)(const void *inputs, const struct manifest_settings *settings,
			  const char *hash);

	/* ---- how it is assessed ---- */

	/* The state of its objects, unless the row is to be GONE. `hash`: that of the desired
	 * state. Called with OBSERVED_ABSENT and the row's stage in `a`. */
	void (*assess)(const struct view *view, const char *hash, struct assessment *a);
	/* Whether a resource that it depends on does not exist, so that its desired state is not
	 * known; or is still starting, so that this one is not RUNNING before that one is. */
	bool (*lacks_dependency)(const struct queue_row *row);
	bool (*awaits_dependency)(const struct queue_row *row);
	/* Whether applying the anchor would end a pod whose volume is going. */
	bool (*would_end_pod)(const struct view *view, const json_t *anchor,
			      const struct assessment *a);
	/* Reads, before the decision, what the observation does not contain: begins a wave
	 * (reconcile/wave.h) that ends with work.proceed(). False: there is nothing to read. */
	bool (*prepare)(struct work *work);
	/* The secret of sandboxd's tokens in its pod (reconcile/activity.h); NULL: it has none. */
	int (*terminal_token)(const struct desired_context *context, const struct queue_row *row,
			      char ret_token[TERMINAL_TOKEN_LENGTH + 1], struct err *e);
	const struct judge *judges; /* of its warnings */
	size_t judge_count;

	/* ---- why it is not as desired ---- */

	/* The type whose objects show its progress; and a description of what is missing if there
	 * is no such object. */
	enum kube_resource shown;
	void (*describe_absence)(const struct view *view, char ret_words[STANDSTILL_MAX]);
	/* As OBSERVE(): the types that are listed for evidence, in addition to the observation. If
	 * pods are among them, their own status is evidence, too. */
	unsigned evidence;
	uint64_t probes_grace_ms; /* how long its probes may fail */
};

extern const struct kind kind_sandbox;
extern const struct kind kind_kubeblocks, kind_kubeblocks_v1; /* up to 0.9, from 1.0 on */
extern const struct kind kind_plain;

/* All of them. */
extern const struct kind *const kind_all[];
extern const size_t kind_count;

/* The one of a resource (of a sandbox, `form` is ignored), and of a database. */
const struct kind *kind_of(enum resource_kind kind, enum database_form form);

const struct kind *kind_of_form(enum database_form form);

static inline const struct kind *kind_of_row(const struct queue_row *row)
{
	return kind_of(row->kind, row->form);
}

static inline enum kube_resource kind_anchor(const struct kind *kind)
{
	return kind->objects[kind->object_count - 1];
}

/* As OBSERVE(): all types whose objects have our labels because of it, dependents included. */
static inline unsigned kind_owned(const struct kind *kind)
{
	unsigned owned = kind->dependents;

	for (size_t i = 0; i < kind->object_count; i++)
		owned |= OBSERVE(kind->objects[i]);
	return owned;
}

#endif
