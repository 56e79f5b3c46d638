#include "reconcile/form.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/json_at.h"
#include "reconcile/work_internal.h"

bool form_is_open(const struct work *w)
{
	const struct queue_row *row = &w->row;

	if (!w->kind->may_change)
		return false;
	return row->form == FORM_UNDECIDED || (row->form == FORM_KUBEBLOCKS_0_8 &&
					       (row->verify || (row->desired == DESIRED_STOPPED &&
								row->status != STATUS_STOPPED)));
}

/* ---- looking it up --------------------------------------------------------------------------- */

static bool has_type(const json_t *types, const char *plural)
{
	size_t i;
	json_t *type;

	json_array_foreach(json_object_get(types, "resources"), i, type)
	{
		if (strcmp(json_text_at(type, "name"), plural) == 0)
			return true;
	}
	return false;
}

/* 0.9 is 0.8 with ComponentVersions, among others. */
enum database_form form_of_types(const json_t *v1, const json_t *alpha)
{
	if (has_type(v1, "clusters"))
		return FORM_KUBEBLOCKS_1_0;
	if (!has_type(alpha, "clusters"))
		return FORM_PLAIN;
	return has_type(alpha, "componentversions") ? FORM_KUBEBLOCKS_0_9 : FORM_KUBEBLOCKS_0_8;
}

bool form_is_absence(const struct err *e)
{
	return strcmp(e->code, "RESOURCE_TYPE_NOT_FOUND") == 0;
}

static void finish(struct form_lookup *l)
{
	enum database_form form = form_of_types(l->v1, l->alpha);

	json_decref(STEAL(l->v1));
	json_decref(STEAL(l->alpha));
	l->done(l->user, form, l->failed ? &l->failure : NULL);
}

static void answered(struct form_lookup *l, const struct kube_answer *answer, json_t **ret_types)
{
	if (answer->ok) {
		*ret_types = json_incref(answer->body);
	} else if (!l->failed && !form_is_absence(&answer->err)) {
		l->failed = true;
		l->failure = answer->err;
	}
	if (--l->pending == 0)
		finish(l);
}

static void v1_answered(void *user, const struct kube_answer *answer)
{
	struct form_lookup *l = user;

	answered(l, answer, &l->v1);
}

static void alpha_answered(void *user, const struct kube_answer *answer)
{
	struct form_lookup *l = user;

	answered(l, answer, &l->alpha);
}

void form_look_up(struct form_lookup *lookup, struct kube_client *client,
		  struct kube_target *target)
{
	lookup->pending = 2;
	kube_submit_types(client, target, KUBE_CLUSTERS_V1, v1_answered, lookup);
	kube_submit_types(client, target, KUBE_CLUSTERS, alpha_answered, lookup);
}

/* ---- deciding -------------------------------------------------------------------------------- */

int form_decide(struct work *w, struct db *db, enum database_form found, struct err *e)
{
	struct queue_connection connection = { 0 };
	enum database_form form = w->row.form;

	/* What serves 1.0 as well is later than 0.8, and an object of its old API needs `stop`. */
	if (form == FORM_KUBEBLOCKS_0_8 && found == FORM_KUBEBLOCKS_1_0)
		found = FORM_KUBEBLOCKS_0_9;
	if (form == found || (form != FORM_UNDECIDED && found != FORM_KUBEBLOCKS_0_9))
		return 0;
	if (found == FORM_PLAIN &&
	    credentials_make(&w->credentials, &w->row, w->context->desired, &connection, e) < 0)
		return -1;
	if (queue_decide_form(db, &w->row, found, &connection, e) < 0)
		return -1;
	w->kind = kind_of_row(&w->row);
	desired_state_set_kind(w->desired, w->kind);
	return 0;
}
