#include "reconcile/volume.h"

#include <string.h>

#include "base/json_at.h"
#include "domain/warning.h"
#include "reconcile/kind.h"
#include "reconcile/live.h"

/* ---- the claims ------------------------------------------------------------------------------ */

static const json_t *claims(const struct view *v)
{
	return observation_claims(v->observation, v->row->id);
}

const json_t *volume_going(const struct view *v)
{
	size_t i;
	json_t *claim;

	json_array_foreach(claims(v), i, claim)
	{
		if (live_is_deleting(claim))
			return claim;
	}
	return NULL;
}

static const json_t *find_claim(const struct view *v, const char *name)
{
	size_t i;
	json_t *claim;

	json_array_foreach(claims(v), i, claim)
	{
		if (strcmp(json_text_at(claim, "metadata.name"), name) == 0)
			return claim;
	}
	return NULL;
}

const char *volume_known(const struct view *v)
{
	return json_string_value(json_at(v->kept, "volume.name"));
}

bool volume_is_replaced(const struct view *v)
{
	const json_t *generation = json_object_get(v->kept, "replaced");

	return generation != NULL && json_integer_value(generation) == v->row->generation;
}

/* Whether the claims were listed at all. */
static bool is_listed(const struct view *v)
{
	return observation_check(v->observation, v->kind->claims, NULL) == 0;
}

static bool is_another(const struct view *v)
{
	const char *known = volume_known(v);
	const json_t *claim = known != NULL ? find_claim(v, known) : NULL;

	return claim != NULL && !live_is_deleting(claim) &&
	       strcmp(json_text_at(claim, "metadata.uid"), json_text_at(v->kept, "volume.uid")) !=
		       0;
}

void volume_note(const struct view *v)
{
	const struct queue_row *row = v->row;
	const json_t *claim = live_current(claims(v));

	if (!is_listed(v))
		return;
	if (row->desired == DESIRED_GONE || row->forced)
		json_object_del(v->kept, "volume");
	if (is_another(v))
		json_object_set_new(v->kept, "replaced", json_integer(row->generation));
	if (!volume_is_replaced(v))
		json_object_del(v->kept, "replaced");
	if (claim != NULL && row->desired != DESIRED_GONE)
		json_object_set_new(v->kept, "volume",
				    json_pack("{s:s, s:s}", "name",
					      json_text_at(claim, "metadata.name"), "uid",
					      json_text_at(claim, "metadata.uid")));
}

static bool is_warned(const struct view *v)
{
	return v->row->warnings != NULL &&
	       strstr(v->row->warnings, warning_text(v->kind->volume_gone)->code) != NULL;
}

/* Whether the row was stopped, whatever has become of its StatefulSet or Cluster since. One that
 * was running, and was deleted with everything that belongs to it, is created again without a
 * confirmation. */
static bool was_stopped(const struct view *v, const struct assessment *a)
{
	const char *last = json_text_at(v->kept, "seen");

	if (a->observed == OBSERVED_STOPPED || a->observed == OBSERVED_STALE)
		return true;
	return a->observed == OBSERVED_ABSENT &&
	       (v->row->desired == DESIRED_STOPPED || is_warned(v) ||
		strcmp(last, observed_name(OBSERVED_STOPPED)) == 0 ||
		strcmp(last, observed_name(OBSERVED_STALE)) == 0);
}

void volume_find(const struct view *v, struct assessment *a)
{
	a->volume_gone = v->row->desired != DESIRED_GONE && volume_known(v) != NULL &&
			 is_listed(v) && json_array_size(claims(v)) == 0 && was_stopped(v, a);
}

/* ---- actions that would lose a volume -------------------------------------------------------- */

bool volume_matters(const struct view *v, const struct assessment *a)
{
	return v->row->desired != DESIRED_GONE && !v->row->forced &&
	       (a->volume_gone || volume_going(v) != NULL);
}

static void hold(struct assessment *a, enum warning code, const char *claim, const char *why)
{
	a->observed = OBSERVED_AT_RISK;
	a->stuck_pod = NULL;
	a->has_cause = true;
	err_set(&a->cause, ERR_DATA_AT_RISK, warning_text(code)->code,
		"persistentvolumeclaim %.128s %s", claim, why);
}

void volume_judge(const struct view *v, const json_t *anchor, struct assessment *a)
{
	const json_t *going = volume_going(v);

	if (!volume_matters(v, a))
		return;
	if (going != NULL && v->kind->would_end_pod(v, anchor, a))
		hold(a, v->kind->volume_going, json_text_at(going, "metadata.name"),
		     "is being deleted and goes with the pod");
	else if (a->volume_gone && v->row->desired == DESIRED_RUNNING)
		hold(a, v->kind->volume_gone, volume_known(v),
		     "is gone: a start would begin with an empty volume");
}
