#include "ctl/look.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "ctl/clusters.h"
#include "domain/decide.h"
#include "reconcile/access.h"
#include "reconcile/assess.h"
#include "reconcile/kind.h"

struct looking {
	struct desired_context desired;
	struct clusters *clusters;
	struct queue_rows rows;
	struct queue_variables variables;
};

static void looking_clear(struct looking *l)
{
	clusters_freep(&l->clusters);
	queue_rows_clear(&l->rows);
	queue_variables_clear(&l->variables);
	desired_context_clear(&l->desired);
}

static void cleanup_desired(struct desired_state **desired)
{
	desired_state_free(*desired);
}

static void nothing_more(void *user)
{
	(void)user;
}

static json_t *error_json(const struct err *e)
{
	return json_pack("{s:s, s:s, s:s}", "error", e->message, "kind", err_kind_name(e->kind),
			 "code", e->code);
}

static json_t *assessment_json(const struct queue_row *row, const struct assessment *a)
{
	struct decision d = decide(&(struct situation) {
		.desired = row->desired,
		.observed = a->observed,
		.status = row->status,
		.status_age_ms = row->status_age_ms,
	});
	json_t *cause = a->has_cause ? error_json(&a->cause) : json_null();

	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:o}", "observed", observed_name(a->observed),
			 "because", d.transition->comment, "stage", stage_name(a->stage), "action",
			 action_name(d.action), "status", status_name(d.status), "cause", cause);
}

/* Does what work_observed() does, up to the decision. */
static int assess_row(const struct looking *l, const struct queue_row *row,
		      const struct observation *o, json_t **ret_look, struct err *e)
{
	CLEANUP(cleanup_desired)
	struct desired_state *desired =
		desired_state_new(&l->desired, kind_of_row(row), row, &l->variables);
	json_auto_t *kept = row->observed != NULL ? json_loads(row->observed, 0, NULL) : NULL;
	const struct view view = { kind_of_row(row), row, o, kept, desired };
	struct assessment a;

	if (observation_check(o, assess_lists(view.kind, row), e) < 0 || assess(&view, &a, e) < 0)
		return -1;
	*ret_look = assessment_json(row, &a);
	return 0;
}

static int look_at_row(struct looking *l, const struct queue_row *row, json_t **ret_look,
		       struct err *e)
{
	struct cluster *cluster = clusters_find(l->clusters, row->cluster_id);

	if (cluster == NULL)
		return err_set(e, ERR_KUBECONFIG, "KUBECONFIG_MISSING", "no kubeconfig is stored");
	if (cluster->target == NULL) {
		*e = cluster->err;
		return -1;
	}
	if (access_check(cluster->target, row, e) < 0)
		return -1;
	const struct kind *kind = kind_of_row(row);
	const struct observe_subject subject = assess_subject(kind, row);
	const struct observe_query query = { .lists = assess_lists(kind, row),
					     .subjects = &subject,
					     .count = 1 };
	struct observation *o = observation_start(clusters_client(l->clusters), cluster->target,
						  &query, nothing_more, NULL);
	clusters_wait(l->clusters);
	int result = assess_row(l, row, o, ret_look, e);
	observation_free(o);
	return result;
}

static json_t *resource_of(const json_t *resources, const char *id)
{
	size_t i;
	json_t *resource;

	json_array_foreach(resources, i, resource)
	{
		if (strcmp(json_string_value(json_object_get(resource, "id")), id) == 0)
			return resource;
	}
	return NULL; /* the row was added after the others were read */
}

int look_at_project(const struct call *call, struct db *db, const char *project_id,
		    json_t *resources, struct err *e)
{
	CLEANUP(looking_clear) struct looking l = { 0 };

	if (desired_context_load(call->conf, &l.desired, e) < 0 ||
	    queue_peek(db, project_id, &l.rows, e) < 0 ||
	    queue_variables(db, &project_id, 1, &l.variables, e) < 0)
		return -1;
	if (l.rows.count == 0)
		return 0;
	if (clusters_open(call, db, l.rows.items[0].user_id, &l.clusters, e) < 0)
		return -1;
	for (size_t i = 0; i < l.rows.count; i++) {
		const struct queue_row *row = &l.rows.items[i];
		json_t *look = NULL;
		struct err failure;
		if (look_at_row(&l, row, &look, &failure) < 0)
			look = error_json(&failure);
		json_object_set_new(resource_of(resources, row->id), "look", look);
	}
	return 0;
}
