#include "reconcile/assess.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/json_at.h"
#include "manifest/manifest.h"
#include "reconcile/accept.h"
#include "reconcile/kind.h"
#include "reconcile/live.h"
#include "reconcile/obstacle.h"
#include "reconcile/restarts.h"
#include "reconcile/volume.h"
#include "reconcile/vouch.h"

/* ---- the types to list ----------------------------------------------------------------------- */

/* Whether all applied objects must be listed, not only those that show the progress of a change: a
 * deletion must see all of them go, and a stable state, or one that was requested again, is
 * compared as a whole. */
static bool needs_applied(const struct queue_row *row)
{
	return row->desired == DESIRED_GONE || row->status == STATUS_RUNNING || row->verify;
}

/* A row that is started for the first time has no volume that could be lost. */
static bool had_volume(const struct queue_row *row)
{
	return row->observed != NULL && strstr(row->observed, "\"volume\"") != NULL;
}

/* Whether the row has not been observed yet, and hardly has objects, or has just been started: then
 * its progress is not of interest yet. */
static bool is_young(const struct queue_row *row)
{
	enum { YOUNG_MS = 2000 };
	bool starts = row->status == STATUS_CREATING || row->status == STATUS_STARTING;

	return starts && !had_volume(row) &&
	       (row->observed == NULL || row->status_age_ms < YOUNG_MS);
}

unsigned assess_lists(const struct kind *kind, const struct queue_row *row)
{
	if (row->desired == DESIRED_GONE)
		return kind_owned(kind);
	if (needs_applied(row))
		return kind_owned(kind) | kind->rollout;
	return is_young(row) ? kind->creation : kind->rollout;
}

struct observe_subject assess_subject(const struct kind *kind, const struct queue_row *row)
{
	return (struct observe_subject) {
		.id = row->id,
		.instance = kind->by_instance ? row->name : NULL,
	};
}

/* ---- against the desired state --------------------------------------------------------------- */

/* Returns the anchor, or NULL if it does not exist. */
static const json_t *live_anchor(const struct view *v)
{
	return observation_object(v->observation, kind_anchor(v->kind), v->row->id, v->row->name);
}

json_t *assess_desired(const struct view *v)
{
	const json_t *live = live_anchor(v);
	bool vouched = strcmp(manifest_hash(live), desired_state_hash(v->desired)) == 0 &&
		       (!needs_applied(v->row) || vouch_holds(v));

	return vouched ? json_pack("[O]", desired_state_anchor(v->desired, live))
		       : json_incref(desired_state_objects(v->desired, live));
}

/* Assesses what is left of a row's objects during their deletion. */
static enum observed assess_remains(const struct view *v)
{
	unsigned owned = kind_owned(v->kind);
	enum observed observed = OBSERVED_ABSENT;

	for (unsigned i = 0; i < KUBE_RESOURCE_COUNT; i++) {
		size_t j;
		json_t *object;
		if ((owned & OBSERVE(i)) == 0)
			continue;
		json_array_foreach(
			observation_of(v->observation, (enum kube_resource)i, v->row->id), j,
			object)
		{
			if (!live_is_deleting(object))
				return OBSERVED_PROGRESSING;
			observed = OBSERVED_DELETING;
		}
	}
	return observed;
}

struct assessment assess_objects(const struct view *v, const char *hash)
{
	struct assessment a = { .observed = OBSERVED_ABSENT, .stage = v->row->stage };

	if (v->row->desired == DESIRED_GONE)
		a.observed = assess_remains(v);
	else
		v->kind->assess(v, hash, &a);
	return a;
}

bool assess_drift(const struct view *v, const json_t *desired)
{
	size_t i;
	json_t *object;

	json_array_foreach(desired, i, object)
	{
		enum kube_resource type;
		if (!kube_resource_find(json_text_at(object, "apiVersion"),
					json_text_at(object, "kind"), &type) ||
		    !observation_has(v->observation, type))
			continue;
		const json_t *live = observation_object(v->observation, type, v->row->id,
							json_text_at(object, "metadata.name"));
		if (live == NULL)
			return true;
		if (type != KUBE_SECRETS && !accept_covers(v->kept, live, object))
			return true;
	}
	return false;
}

static bool has_drifted(const struct view *v)
{
	if (vouch_holds(v) && vouch_holds_for_anchor(v))
		return false;
	json_auto_t *desired = assess_desired(v);
	return assess_drift(v, desired);
}

static bool differs_by_hash(const struct assessment *a)
{
	return a->observed == OBSERVED_OUTDATED || a->observed == OBSERVED_STALE;
}

/* Whether the anchor is as desired but for its hash, which admission has removed. */
static bool is_hash_hidden(const struct view *v)
{
	const json_t *live = live_anchor(v);

	return live != NULL && json_object_get(v->kept, "accepted") != NULL &&
	       accept_is_known(v->kept, live, desired_state_anchor(v->desired, live));
}

void assess_dependency(const struct view *v, struct assessment *a)
{
	if (a->observed != OBSERVED_READY || v->row->status == STATUS_RUNNING ||
	    !v->kind->awaits_dependency(v->row))
		return;
	a->observed = OBSERVED_BLOCKED;
	a->stage = STAGE_DATABASE;
}

int assess(const struct view *v, struct assessment *ret_assessment, struct err *e)
{
	if (v->row->desired != DESIRED_GONE && desired_state_load(v->desired, e) < 0)
		return -1;
	struct assessment a = assess_objects(v, desired_state_hash(v->desired));
	if (differs_by_hash(&a) && is_hash_hidden(v))
		a = assess_objects(v, manifest_hash(live_anchor(v)));
	if (a.observed == OBSERVED_READY && !v->kind->lacks_dependency(v->row) && has_drifted(v))
		a.observed = OBSERVED_OUTDATED;
	restarts_judge(v, &a);
	assess_dependency(v, &a);
	volume_find(v, &a);
	if (volume_matters(v, &a))
		volume_judge(v, desired_state_anchor(v->desired, live_anchor(v)), &a);
	a.has_obstacle = obstacle_find(v, &a.obstacle);
	*ret_assessment = a;
	return 0;
}
