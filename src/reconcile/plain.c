/* The kind of database that needs no operator: a StatefulSet of one pod with PostgreSQL. The
 * reconciler makes the password, together with the decision for this form (reconcile/form.h). */
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "reconcile/database.h"
#include "reconcile/stateful.h"
#include "store/contexts.h"

struct inputs {
	struct manifest_database database;
	struct buf password;
};

static void free_inputs(void *inputs)
{
	struct inputs *i = inputs;

	buf_wipe(&i->password);
	free(i);
}

static void *make_inputs(const struct desired_context *context, const struct queue_row *row,
			 const struct queue_variables *variables, struct err *e)
{
	struct inputs *i = mem_calloc(1, sizeof(*i));
	CLEANUP(cleanup_free) char *secret_context = mem_printf(CONTEXT_DATABASE, row->id);

	(void)variables;
	if (desired_open_secret(context, secret_context, row->connection.password_sealed,
				row->connection.password_sealed_length, &i->password, e) < 0) {
		free_inputs(i);
		return NULL;
	}
	i->database = database_of(row);
	i->database.password = i->password.data;
	return i;
}

static void assess_plain(const struct view *v, const char *desired_hash, struct assessment *a)
{
	a->stage = STAGE_DATABASE;
	stateful_assess(v, desired_hash, a);
}

/* Its objects show all that there is to know. */
static bool prepare(struct work *work)
{
	(void)work;
	return false;
}

static void describe_absence(const struct view *v, char ret_words[STANDSTILL_MAX])
{
	(void)snprintf(ret_words, STANDSTILL_MAX, "statefulset %.80s has no pod", v->row->name);
}

static const enum kube_resource objects[] = {
	KUBE_SECRETS, /* the connection */
	KUBE_SERVICES,
	KUBE_NETWORK_POLICIES,
	KUBE_STATEFULSETS,
};

static const struct judge judges[] = {
	{ WARNING_DATABASE_VOLUME_GOING, OBSERVE(KUBE_PERSISTENT_VOLUME_CLAIMS),
	  warn_volume_going },
	{ WARNING_DATABASE_VOLUME_GONE, OBSERVE(KUBE_PERSISTENT_VOLUME_CLAIMS), warn_volume_gone },
	{ WARNING_DATABASE_VOLUME_REPLACED, OBSERVE(KUBE_PERSISTENT_VOLUME_CLAIMS),
	  warn_volume_replaced },
};

#define ROLLOUT                                                                                    \
	(OBSERVE(KUBE_STATEFULSETS) | OBSERVE(KUBE_PODS) | OBSERVE(KUBE_PERSISTENT_VOLUME_CLAIMS))

const struct kind kind_plain = {
	.objects = objects,
	.object_count = ARRAY_SIZE(objects),
	.dependents = OBSERVE(KUBE_PODS) | OBSERVE(KUBE_PERSISTENT_VOLUME_CLAIMS),
	.creation = OBSERVE(KUBE_STATEFULSETS),
	.rollout = ROLLOUT,
	.claims = OBSERVE(KUBE_PERSISTENT_VOLUME_CLAIMS),
	.volume_going = WARNING_DATABASE_VOLUME_GOING,
	.volume_gone = WARNING_DATABASE_VOLUME_GONE,

	.has_environment = false,
	.make_inputs = make_inputs,
	.free_inputs = free_inputs,
	.hash = database_hash,
	.companions = database_companions,
	.anchor = database_anchor,

	.assess = assess_plain,
	.lacks_dependency = database_needs_nothing,
	.awaits_dependency = database_needs_nothing,
	.would_end_pod = stateful_would_end_pod,
	.prepare = prepare,
	.judges = judges,
	.judge_count = ARRAY_SIZE(judges),

	.shown = KUBE_PODS,
	.describe_absence = describe_absence,
	.evidence = OBSERVE(KUBE_PERSISTENT_VOLUME_CLAIMS),
};
