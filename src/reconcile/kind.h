#ifndef FSA_RECONCILE_KIND_H
#define FSA_RECONCILE_KIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "domain/warning.h"
#include "manifest/manifest.h"
#include "reconcile/assess.h"
#include "reconcile/desired.h"
#include "reconcile/standstill.h"
#include "reconcile/view.h"
#include "reconcile/warn.h"

struct work;

/*
 * The kinds of resources, a row each: sandbox.c, database.c. Nothing else asks which kind a row is
 * of; what differs between them is a member here. Every member is set but where it says so.
 */
struct kind {
	/* ---- its objects in the cluster ---- */

	/* The types that it is made of, in the order of their apply. The last is its anchor: there
	 * is one object of it, with the row's name, which carries the hash of all. */
	const enum kube_resource *objects;
	size_t object_count;
	/* As OBSERVE(): what controllers make of these, with our labels. May be empty. */
	unsigned dependents;
	/* What is listed to see how far a change is: when it is made for the first time, and later.
	 */
	unsigned creation, rollout;
	/* The list that has the claims of its volumes, and what is said of one. */
	unsigned claims;
	enum warning volume_going, volume_gone;
	/* What its controllers make is found by OBSERVE_INSTANCE and the row's name, instead of by
	 * our label and the row's id. */
	bool by_instance;

	/* ---- its desired state ---- */

	bool has_environment; /* the project's variables go into it */
	/* What its manifests are made of. NULL: a secret of the row cannot be opened (`e`). */
	void *(*make_inputs)(const struct desired_context *context, const struct queue_row *row,
			     const struct queue_variables *variables, struct err *e);
	void (*free_inputs)(void *inputs);
	/* As manifest/manifest.h has them for each kind. */
	void (*hash)(const void *inputs, const struct manifest_settings *settings,
		     char ret_hash[MANIFEST_HASH_SIZE]);
	json_t *(*companions)(const void *inputs, const struct manifest_settings *settings);
	json_t *(*anchor)(const void *inputs, const struct manifest_settings *settings,
			  const char *hash);

	/* ---- how it is assessed ---- */

	/* What its objects amount to, of a row that is not to be GONE. `hash`: that of the desired
	 * state. Begins with OBSERVED_ABSENT and the row's stage. */
	void (*assess)(const struct view *view, const char *hash, struct assessment *a);
	/* Whether a resource that it needs is not there, so that its desired state is not known;
	 * or is on its way, so that what was asked for is not done before that one is. */
	bool (*lacks_dependency)(const struct queue_row *row);
	bool (*awaits_dependency)(const struct queue_row *row);
	/* Whether applying the anchor would end a pod whose volume is going. */
	bool (*would_end_pod)(const struct view *view, const json_t *anchor,
			      const struct assessment *a);
	/* Reads what the observation cannot show, before there is a decision: begins a wave
	 * (reconcile/wave.h) and ends with work.proceed(). False: nothing is to be read. */
	bool (*prepare)(struct work *work);
	const struct judge *judges; /* of its warnings */
	size_t judge_count;

	/* ---- why it is not as desired ---- */

	/* The type whose objects show how far it is; and what is missing when there is none. */
	enum kube_resource shown;
	void (*describe_absence)(const struct view *view, char ret_words[STANDSTILL_MAX]);
	/* As OBSERVE(): what is listed for evidence, beside what was observed. With pods among
	 * these, their own status is evidence, too. */
	unsigned evidence;
	uint64_t probes_grace_ms; /* for so long its probes may fail */
};

extern const struct kind kind_sandbox, kind_database;

/* The row of the table. Total: there is one for each. */
const struct kind *kind_of(enum resource_kind kind);

static inline enum kube_resource kind_anchor(const struct kind *kind)
{
	return kind->objects[kind->object_count - 1];
}

/* The types of all objects that bear our labels because of it, dependents included, as OBSERVE().
 */
static inline unsigned kind_owned(const struct kind *kind)
{
	unsigned owned = kind->dependents;

	for (size_t i = 0; i < kind->object_count; i++)
		owned |= OBSERVE(kind->objects[i]);
	return owned;
}

#endif
