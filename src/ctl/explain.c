/* fsactl project explain: the state table, read for one project. The output follows from
 * domain/explain.h and domain/decide.h, like the reconciler's actions. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "ctl/look.h"
#include "ctl/output.h"
#include "ctl/row.h"
#include "db/migrate.h"
#include "domain/cause.h"
#include "domain/explain.h"
#include "store/admin.h"

/* A row that has been due this long without a lease is waiting for a reconciler that does not
 * run. */
enum { FORGOTTEN_MS = 30000 };

static int read_reported(const json_t *row, struct reported *ret_reported, struct err *e)
{
	const char *cause = row_text(row, "causeKind");

	ret_reported->status_age_ms = (uint64_t)row_number(row, "statusAgeMs");
	ret_reported->attempts = (unsigned)row_number(row, "attempts");
	/* A request makes the row due at once, so a row that is due later was observed. */
	ret_reported->is_observed =
		row_number(row, "dueInMs") > 0 && row_text(row, "leasedBy")[0] == '\0';
	ret_reported->has_cause = cause[0] != '\0';
	if (!desired_parse(row_text(row, "desired"), &ret_reported->desired) ||
	    !status_parse(row_text(row, "status"), &ret_reported->status) ||
	    (ret_reported->has_cause && !err_kind_parse(cause, &ret_reported->cause_kind)))
		return err_set(e, ERR_INTERNAL, NULL,
			       "the row has words that this version does not know: it is older "
			       "than the schema");
	return 0;
}

/* ---- the consequences of one observation ----------------------------------------------------- */

/* Returns when the observation after the next is due at the earliest, if the next changes
 * nothing. */
static uint64_t then_after_ms(const struct call *call, const struct reported *reported,
			      const struct decision *d)
{
	enum requeue requeue = reported->has_cause
				       ? requeue_with_cause(d->requeue, reported->cause_kind)
				       : d->requeue;

	return requeue_delay_ms(requeue, reported->status_age_ms, reported->attempts + 1,
				conf_number(call->conf, CONF_RESYNC), 0, 0);
}

static json_t *explain_observed(const struct call *call, const struct reported *reported,
				enum observed observed)
{
	struct decision d = explain_next(reported, observed);
	uint64_t deadline_ms = explain_deadline_ms(reported, observed);
	json_t *deadline =
		deadline_ms == UINT64_MAX ? json_null() : json_integer((json_int_t)deadline_ms);

	return json_pack("{s:s, s:s, s:s, s:s, s:I, s:o}", "observed", observed_name(observed),
			 "because", d.transition->comment, "action", action_name(d.action),
			 "status", status_name(d.status), "thenAfterMs",
			 (json_int_t)then_after_ms(call, reported, &d), "errorInMs", deadline);
}

/* For a row whose desired state has changed since its observation, or that another version
 * observed, guesses the observation from what the row contains. */
static json_t *explain_possible(const struct call *call, const struct reported *reported,
				const char *known)
{
	json_t *possible = json_array();
	enum observed last;

	if (observed_parse(known, &last) && explain_fits(reported, last)) {
		(void)json_array_append_new(possible, explain_observed(call, reported, last));
		return possible;
	}
	for (unsigned observed = 0; observed < OBSERVED_COUNT; observed++) {
		if (explain_fits(reported, (enum observed)observed))
			(void)json_array_append_new(
				possible,
				explain_observed(call, reported, (enum observed)observed));
	}
	return possible;
}

/* Adds the texts about the cause, or null if there is none. `advice` is for the site's operator,
 * `action` for the owner. */
static void explain_cause(json_t *row)
{
	const struct cause_text *text =
		cause_text_of(row_text(row, "causeKind"), row_text(row, "causeCode"));
	const char *advice =
		text != NULL ? cause_advice(text->kind, row_text(row, "causeCode")) : NULL;
	const char *detail = text != NULL ? cause_detail(row_text(row, "causeMessage")) : NULL;

	(void)json_object_update_new(row, json_pack("{s:s?, s:s?, s:s?, s:s?}", "headline",
						    text ? text->headline : NULL, "action",
						    text ? text->action : NULL, "advice", advice,
						    "detail", detail));
}

/* Adds the conclusions to a row. */
static int explain_resource(const struct call *call, json_t *row, struct err *e)
{
	struct reported reported = { 0 };
	bool late =
		row_number(row, "dueInMs") < -FORGOTTEN_MS && row_text(row, "leasedBy")[0] == '\0';

	reported.unschedulable_s =
		(unsigned)(conf_number(call->conf, CONF_UNSCHEDULABLE_TIME) / 1000);
	if (read_reported(row, &reported, e) < 0)
		return err_wrap(e, "%s", row_text(row, "name"));
	(void)json_object_set_new(row, "mayBeObserved",
				  explain_possible(call, &reported, row_text(row, "seen")));
	explain_cause(row);
	(void)json_object_set_new(row, "forgotten", json_boolean(late));
	return 0;
}

/* ---- for people ------------------------------------------------------------------------------ */

static void print_text(const char *label, char *text)
{
	output_line(label, text);
	free(text);
}

static void print_cause(const json_t *row)
{
	const char *advice = row_text(row, "advice"), *action = row_text(row, "action");

	if (row_text(row, "headline")[0] == '\0')
		return;
	CLEANUP(cleanup_free)
	char *since = output_duration((uint64_t)row_number(row, "causeAgeMs"));
	print_text("cause", mem_printf("%s (%s), for %s", row_text(row, "headline"),
				       row_text(row, "causeCode"), since));
	output_line("detail", row_text(row, "causeMessage"));
	if (strcmp(advice, action) != 0)
		output_line("what to do", advice);
	output_line("the owner", action);
}

static void print_warnings(const json_t *row)
{
	size_t i;
	json_t *warning;

	json_array_foreach(json_object_get(row, "warnings"), i, warning)
	{
		print_text("warning",
			   mem_printf("%s (%s), since %s", row_text(warning, "headline"),
				      row_text(warning, "code"), row_text(warning, "since")));
		output_line("detail", row_text(warning, "message"));
		output_line("the owner", row_text(warning, "action"));
	}
}

static void print_observed(const json_t *observed, bool first)
{
	json_int_t deadline_ms = row_number(observed, "errorInMs");

	print_text(first ? "observed" : "or", mem_printf("%s: %s", row_text(observed, "observed"),
							 row_text(observed, "because")));
	const char *action = row_text(observed, "action");
	bool nothing = strcmp(action, action_name(ACTION_NONE)) == 0;
	print_text("", mem_printf("  action %s, status %s", nothing ? "none" : action,
				  row_text(observed, "status")));
	if (json_is_integer(json_object_get(observed, "errorInMs"))) {
		CLEANUP(cleanup_free) char *left = output_duration((uint64_t)deadline_ms);
		print_text("", mem_printf("  becomes ERROR, if it lasts, in %s", left));
	}
	if (row_number(observed, "thenAfterMs") > 0) {
		CLEANUP(cleanup_free)
		char *again = output_duration((uint64_t)row_number(observed, "thenAfterMs"));
		print_text("",
			   mem_printf("  due again, if nothing changes, at least %s later", again));
	}
}

static void print_next(const json_t *row)
{
	int64_t due_ms = row_number(row, "dueInMs");
	const char *halted = row_text_or_null(row, "halted");
	CLEANUP(cleanup_free)
	char *distance = output_duration((uint64_t)(due_ms < 0 ? -due_ms : due_ms));

	if (row_text(row, "leasedBy")[0] != '\0')
		print_text("next",
			   mem_printf("being worked on now, by %s", row_text(row, "leasedBy")));
	else if (halted != NULL)
		print_text("next", mem_printf("nothing, no pass begins: %s", halted));
	else if (json_is_true(json_object_get(row, "forgotten")))
		print_text("next", mem_printf("due for %s, and no pass came: is fsa-reconcile "
					      "running? (systemctl status fsa-reconcile.timer)",
					      distance));
	else if (due_ms <= 0)
		output_line("next", "now: the next pass takes it");
	else
		print_text("next", mem_printf("in %s%s", distance,
					      row_number(row, "attempts") > 0
						      ? ", after attempts that failed"
						      : ""));
}

/* Prints what --look has observed; then nothing has to be guessed from the state table. */
static bool print_look(const json_t *row)
{
	const json_t *look = json_object_get(row, "look");

	if (look == NULL)
		return false;
	if (json_object_get(look, "error") != NULL) {
		output_line("sees", row_text(look, "error"));
		return true;
	}
	print_observed(look, true);
	const json_t *cause = json_object_get(look, "cause");
	if (json_is_object(cause))
		output_line("", row_text(cause, "error"));
	return true;
}

static void print_resource(const json_t *row)
{
	CLEANUP(cleanup_free)
	char *age = output_duration((uint64_t)row_number(row, "statusAgeMs"));
	size_t i;
	json_t *observed;

	(void)printf("\n%s %s: %s for %s, desired %s\n", row_text(row, "kind"),
		     row_text(row, "name"), row_text(row, "status"), age, row_text(row, "desired"));
	print_text("where", mem_printf("namespace %s of %s", row_text(row, "namespace"),
				       row_text(row, "server")));
	output_line("stage", row_text(row, "stage"));
	print_cause(row);
	print_warnings(row);
	print_next(row);
	if (print_look(row))
		return;
	json_array_foreach(json_object_get(row, "mayBeObserved"), i, observed)
	{
		print_observed(observed, i == 0);
	}
}

static void print_project(const json_t *project)
{
	size_t i;
	json_t *row;

	(void)printf("project %s (%s) of %s: %s\n", row_text(project, "name"),
		     row_text(project, "id"), row_text(project, "owner"),
		     row_text(project, "status"));
	if (!json_is_null(json_object_get(project, "deletedAt")))
		output_line("deletion", "asked for: the row goes when all of it has gone");
	json_array_foreach(json_object_get(project, "resources"), i, row)
	{
		print_resource(row);
	}
	if (i == 0)
		output_line("empty", "it has neither sandbox nor database");
}

/* ---- the command ----------------------------------------------------------------------------- */

/* Returns why no pass can begin, whatever is due; NULL if one can. The reconciler does not work on
 * an older schema. */
static json_t *find_halt(struct db *db)
{
	struct err e;

	return migrate_check(db, &e) < 0 ? json_string(e.message) : json_null();
}

static int explain_project(const struct call *call, struct db *db, const char *project_id,
			   json_t **ret_project, struct err *e)
{
	const struct admin_project_filter one = { .project_id = project_id, .all = true };
	CLEANUP(json_decrefp) json_t *projects = NULL;
	CLEANUP(json_decrefp) json_t *resources = NULL;
	size_t i;
	json_t *row;

	if (admin_projects(db, &one, &projects, e) < 0 ||
	    admin_resources(db, project_id, &resources, e) < 0)
		return -1;
	json_array_foreach(resources, i, row)
	{
		(void)json_object_set_new(row, "halted", find_halt(db));
		if (explain_resource(call, row, e) < 0)
			return -1;
	}
	if (call->options[OPTION_LOOK] != NULL &&
	    look_at_project(call, db, project_id, resources, e) < 0)
		return -1;
	json_t *project = json_incref(json_array_get(projects, 0));
	(void)json_object_set(project, "resources", resources);
	*ret_project = project;
	return 0;
}

int command_project_explain(const struct call *call, struct err *e)
{
	CLEANUP(db_freep) struct db *db = call_database(call);
	CLEANUP(json_decrefp) json_t *project = NULL;
	char id[STORE_ID_LENGTH + 1], user_id[STORE_ID_LENGTH + 1];

	if (admin_find_project(db, call->arguments[0], id, user_id, e) < 0 ||
	    explain_project(call, db, id, &project, e) < 0)
		return -1;
	if (!output_json(call, project))
		print_project(project);
	return 0;
}
