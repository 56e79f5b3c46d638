/* Tests changes of the desired state: shown at once, a new generation, due at once, aggregated,
 * recorded. */
#include <stdio.h>
#include <string.h>

#include "store/environment.h"
#include "support.h"

static const char *due(const char *id)
{
	return admin_text("SELECT due_at <= now() FROM resources WHERE id = $1", id);
}

static const char *last_event(const char *project_id)
{
	return admin_text("SELECT concat_ws(' ', kind, status) FROM events WHERE project_id = $1"
			  " ORDER BY id DESC LIMIT 1",
			  project_id);
}

static void want(const struct person *owner, const struct made_project *made, enum desired desired)
{
	struct err e;

	assert_ok(project_set_desired(api, owner->id, made->id, desired, &e), &e);
}

static const struct sandbox_new *with_env(const struct parts *parts)
{
	static struct sandbox_new s;

	s = parts->sandbox;
	s.request_env_sealed = "env";
	s.request_env_sealed_length = 3;
	return &s;
}

START_TEST(stop_and_start_tell_it_at_once)
{
	struct person owner = make_owner("alice");
	struct made_project made = make_project(&owner, "shop", true);

	reach(STATUS_RUNNING);
	ck_assert_str_eq(project_told(made.id), "RUNNING");
	ck_assert_str_eq(due(made.sandbox), "f");
	want(&owner, &made, DESIRED_STOPPED);
	ck_assert_str_eq(told(made.sandbox), "STOPPING");
	ck_assert_str_eq(told(made.database), "STOPPING");
	ck_assert_str_eq(project_told(made.id), "STOPPING");
	ck_assert_str_eq(last_event(made.id), "STOPPING");
	ck_assert_str_eq(due(made.sandbox), "t");
	ck_assert_int_eq(generation(made.sandbox), 2);
	/* Again: nothing changes. */
	want(&owner, &made, DESIRED_STOPPED);
	ck_assert_int_eq(generation(made.sandbox), 2);
	/* Start while stopping. */
	want(&owner, &made, DESIRED_RUNNING);
	ck_assert_str_eq(told(made.sandbox), "STARTING");
	ck_assert_str_eq(project_told(made.id), "STARTING");
	ck_assert_int_eq(generation(made.sandbox), 3);
	ck_assert_int_eq(generation(made.database), 3);
}
END_TEST

/* A resource that is running is shown as such again only after an observation that begins after the
 * request: one in progress acted on an older generation. */
START_TEST(a_start_of_a_running_sandbox_observes_it_first)
{
	struct person owner = make_owner("alice");
	struct made_project made = make_project(&owner, "shop", true);
	const char *verify = "SELECT bool_and(verify) FROM resources WHERE project_id = $1";
	struct err e;

	reach(STATUS_RUNNING);
	admin_run("UPDATE resources SET due_at = now() WHERE project_id = $1", made.id);
	struct queue_rows under_way = claim(10);
	ck_assert_uint_eq(under_way.count, 2);
	want(&owner, &made, DESIRED_RUNNING);
	ck_assert_str_eq(project_told(made.id), "STARTING");
	ck_assert_str_eq(admin_text(verify, made.id), "t");
	for (size_t i = 0; i < under_way.count; i++) {
		struct queue_result late = result_of(&under_way.items[i], STATUS_RUNNING);
		assert_ok(queue_record(reconcile, &late, 1, NULL, &e), &e);
	}
	queue_rows_clear(&under_way);
	ck_assert_str_eq(project_told(made.id), "STARTING");
	/* A second request joins the first. */
	want(&owner, &made, DESIRED_RUNNING);
	ck_assert_int_eq(generation(made.sandbox), 2);
	reach(STATUS_RUNNING);
	ck_assert_str_eq(project_told(made.id), "RUNNING");
	ck_assert_str_eq(admin_text(verify, made.id), "f");
}
END_TEST

START_TEST(every_request_makes_the_whole_project_due)
{
	struct person owner = make_owner("alice");
	struct made_project made = make_project(&owner, "shop", true);
	const struct variable_new variable = {
		.key = "A", .category = "general", .value_sealed = "v", .value_sealed_length = 1
	};
	struct err e;

	reach(STATUS_RUNNING);
	assert_ok(variable_put(api, owner.id, made.id, &variable, 1, &e), &e);
	ck_assert_str_eq(due(made.database), "t");
	reach(STATUS_RUNNING);
	assert_ok(sandbox_set_desired(api, owner.id, made.id, SANDBOX_FIRST, DESIRED_GONE, &e), &e);
	ck_assert_str_eq(due(made.database), "t");
	ck_assert_str_eq(told(made.database), "RUNNING");
	want(&owner, &made, DESIRED_STOPPED);
	reach(STATUS_STOPPED);
	want(&owner, &made, DESIRED_STOPPED);
	ck_assert_str_eq(due(made.database), "t");
	ck_assert_str_eq(told(made.database), "STOPPED");
}
END_TEST

START_TEST(an_error_that_is_asked_to_run_is_tried_again_at_once)
{
	struct person owner = make_owner("alice");
	struct made_project made = make_project(&owner, "shop", false);
	struct queue_rows rows = claim(10);
	struct queue_result result = result_of(&rows.items[0], STATUS_ERROR);
	struct err e;

	result.has_cause = true;
	result.cause_kind = "POD_IMAGE";
	result.cause_code = "ErrImagePull";
	result.cause_message = "no such image";
	result.attempts = 7;
	assert_ok(queue_record(reconcile, &result, 1, NULL, &e), &e);
	queue_rows_clear(&rows);
	ck_assert_str_eq(project_told(made.id), "ERROR");
	ck_assert_str_eq(due(made.sandbox), "f");
	want(&owner, &made, DESIRED_RUNNING);
	ck_assert_str_eq(told(made.sandbox), "STARTING");
	ck_assert_str_eq(project_told(made.id), "STARTING");
	ck_assert_str_eq(due(made.sandbox), "t");
	ck_assert_int_eq(generation(made.sandbox), 1);
	ck_assert_str_eq(admin_text("SELECT concat(cause_kind, cause_code, cause_message,"
				    " cause_since, attempts) FROM resources WHERE id = $1",
				    made.sandbox),
			 "0");
}
END_TEST

START_TEST(deletion_cannot_be_taken_back)
{
	struct person owner = make_owner("alice");
	struct made_project made = make_project(&owner, "shop", true);
	struct err e;

	want(&owner, &made, DESIRED_GONE);
	ck_assert_str_eq(project_told(made.id), "TERMINATING");
	assert_fails(project_set_desired(api, owner.id, made.id, DESIRED_RUNNING, &e), &e,
		     ERR_NOT_FOUND, "PROJECT_NOT_FOUND");
	want(&owner, &made, DESIRED_GONE);
	ck_assert_int_eq(generation(made.sandbox), 2);
}
END_TEST

START_TEST(a_project_without_resources_goes_at_once)
{
	struct person owner = make_owner("alice");
	struct made_project made = make_project(&owner, "shop", false);

	admin_run("DELETE FROM resources WHERE project_id = $1", made.id);
	want(&owner, &made, DESIRED_GONE);
	ck_assert_int_eq(admin_int("SELECT count(*) FROM projects", NULL), 0);
}
END_TEST

START_TEST(a_restart_rolls_the_pod_and_starts_what_was_stopped)
{
	struct person owner = make_owner("alice");
	struct made_project made = make_project(&owner, "shop", true);
	const char *restarts = "SELECT restarts FROM sandboxes WHERE resource_id = $1";
	struct err e;

	reach(STATUS_RUNNING);
	assert_ok(project_restart(api, owner.id, made.id, &e), &e);
	ck_assert_str_eq(told(made.sandbox), "UPDATING");
	ck_assert_str_eq(told(made.database), "STARTING"); /* until it is observed */
	ck_assert_str_eq(project_told(made.id), "UPDATING");
	ck_assert_int_eq(admin_int(restarts, made.sandbox), 1);
	ck_assert_int_eq(generation(made.sandbox), 2);
	ck_assert_int_eq(generation(made.database), 2);
	want(&owner, &made, DESIRED_STOPPED);
	assert_ok(project_restart(api, owner.id, made.id, &e), &e);
	ck_assert_str_eq(told(made.sandbox), "STARTING");
	ck_assert_str_eq(told(made.database), "STARTING");
	ck_assert_int_eq(admin_int(restarts, made.sandbox), 2);
}
END_TEST

/* ---- the sandbox alone ----------------------------------------------------------------------- */

static struct queue_result gone_result(const struct queue_row *row)
{
	struct queue_result result = result_of(row, STATUS_TERMINATED);

	result.gone = true;
	return result;
}

START_TEST(a_sandbox_is_terminated_and_made_anew_beside_its_database)
{
	struct person owner = make_owner("alice");
	struct made_project made = make_project(&owner, "shop", true);
	struct parts parts;
	struct err e;

	reach(STATUS_RUNNING);
	assert_ok(sandbox_set_desired(api, owner.id, made.id, SANDBOX_FIRST, DESIRED_GONE, &e), &e);
	assert_ok(sandbox_set_desired(api, owner.id, made.id, SANDBOX_FIRST, DESIRED_GONE, &e), &e);
	ck_assert_str_eq(told(made.sandbox), "TERMINATING");
	ck_assert_str_eq(told(made.database), "RUNNING");
	ck_assert_str_eq(project_told(made.id), "PARTIAL");
	assert_fails(project_restart(api, owner.id, made.id, &e), &e, ERR_NOT_FOUND,
		     "SANDBOX_NOT_FOUND");
	/* A start of the project does not undo this deletion. */
	want(&owner, &made, DESIRED_RUNNING);
	ck_assert_str_eq(told(made.sandbox), "TERMINATING");

	struct queue_rows rows = claim(10);
	struct queue_result result = gone_result(find_row(&rows, made.sandbox));
	assert_ok(queue_record(reconcile, &result, 1, NULL, &e), &e);
	queue_rows_clear(&rows);
	ck_assert_str_eq(told(made.sandbox), "");
	/* The start requested an observation of its database, which is still due. */
	ck_assert_str_eq(project_told(made.id), "STARTING");
	assert_fails(sandbox_set_desired(api, owner.id, made.id, SANDBOX_FIRST, DESIRED_GONE, &e),
		     &e, ERR_NOT_FOUND, "SANDBOX_NOT_FOUND");

	make_parts(&parts, "anew");
	assert_ok(sandbox_start(api, owner.id, made.id, with_env(&parts), &e), &e);
	ck_assert_str_eq(told(parts.sandbox.id), "CREATING");
	ck_assert_str_eq(project_told(made.id), "CREATING");
	ck_assert_str_eq(admin_text("SELECT request_env_sealed FROM sandboxes"
				    " WHERE resource_id = $1",
				    parts.sandbox.id),
			 "\\x656e76");
}
END_TEST

START_TEST(a_sandbox_on_its_way_out_comes_back_under_its_names)
{
	struct person owner = make_owner("alice");
	struct made_project made = make_project(&owner, "shop", false);
	const char *env = "SELECT request_env_sealed FROM sandboxes WHERE resource_id = $1";
	struct parts parts;
	struct err e;

	reach(STATUS_RUNNING);
	make_parts(&parts, "other");
	assert_fails(sandbox_start(api, owner.id, made.id, with_env(&parts), &e), &e, ERR_CONFLICT,
		     "SANDBOX_REPLACED");
	parts.sandbox.id = made.sandbox;
	assert_ok(sandbox_start(api, owner.id, made.id, with_env(&parts), &e), &e);
	ck_assert_str_eq(told(made.sandbox), "UPDATING");
	ck_assert_str_eq(admin_text(env, made.sandbox), "\\x656e76");
	assert_ok(sandbox_start(api, owner.id, made.id, &parts.sandbox, &e), &e);
	ck_assert_str_eq(admin_text(env, made.sandbox), "\\x656e76");
	ck_assert_int_eq(generation(made.sandbox), 2);

	assert_ok(sandbox_set_desired(api, owner.id, made.id, SANDBOX_FIRST, DESIRED_GONE, &e), &e);
	struct queue_rows rows = claim(10);
	assert_ok(sandbox_start(api, owner.id, made.id, &parts.sandbox, &e), &e);
	ck_assert_str_eq(told(made.sandbox), "CREATING");
	ck_assert_str_eq(admin_text(env, made.sandbox), "");
	/* The pass that observed its absence is too late. */
	struct queue_result result = gone_result(find_row(&rows, made.sandbox));
	assert_ok(queue_record(reconcile, &result, 1, NULL, &e), &e);
	queue_rows_clear(&rows);
	ck_assert_str_eq(told(made.sandbox), "CREATING");
	ck_assert_str_eq(due(made.sandbox), "t");
}
END_TEST

START_TEST(starting_a_sandbox_starts_its_database)
{
	struct person owner = make_owner("alice");
	struct made_project made = make_project(&owner, "shop", true);
	struct parts parts;
	struct err e;

	reach(STATUS_RUNNING);
	want(&owner, &made, DESIRED_STOPPED);
	make_parts(&parts, "other");
	assert_ok(sandbox_start(api, owner.id, made.id, &parts.sandbox, &e), &e);
	ck_assert_str_eq(told(made.sandbox), "STARTING");
	ck_assert_str_eq(told(made.database), "STARTING");
}
END_TEST

/* ---- several sandboxes of a project ---------------------------------------------------------- */

START_TEST(one_sandbox_of_several_stops_restarts_and_goes_alone)
{
	struct person owner = make_owner("alice");
	struct made_project made = make_project(&owner, "shop", true);
	struct parts other;
	struct err e;

	make_parts(&other, "other");
	other.sandbox.display_name = "Worker";
	assert_ok(sandbox_add(api, owner.id, made.id, &other.sandbox, &e), &e);
	reach(STATUS_RUNNING);

	assert_ok(sandbox_set_desired(api, owner.id, made.id, other.id[0], DESIRED_STOPPED, &e),
		  &e);
	ck_assert_str_eq(told(other.id[0]), "STOPPING");
	ck_assert_str_eq(told(made.sandbox), "RUNNING");
	ck_assert_str_eq(told(made.database), "RUNNING");
	assert_ok(sandbox_restart(api, owner.id, made.id, other.id[0], &e), &e);
	ck_assert_str_eq(told(other.id[0]), "STARTING");
	ck_assert_int_eq(generation(made.sandbox), 1);

	/* The first sandbox can be deleted, also twice; the other one stays. */
	for (int i = 0; i < 2; i++)
		assert_ok(sandbox_set_desired(api, owner.id, made.id, SANDBOX_FIRST, DESIRED_GONE,
					      &e),
			  &e);
	admin_run("DELETE FROM resources WHERE id = $1", made.sandbox);
	assert_fails(sandbox_set_desired(api, owner.id, made.id, SANDBOX_FIRST, DESIRED_GONE, &e),
		     &e, ERR_NOT_FOUND, "SANDBOX_NOT_FOUND");
	ck_assert_str_eq(told(other.id[0]), "STARTING");

	CLEANUP(project_rows_clear) struct project_rows rows = { .count = 0 };
	assert_ok(project_get(api, owner.id, made.id, &rows, &e), &e);
	ck_assert_uint_eq(rows.items[0].sandbox_count, 1);
	ck_assert_str_eq(rows.items[0].sandboxes[0].display_name, "Worker");
}
END_TEST

START_TEST(a_stranger_has_no_say_in_any_sandbox)
{
	struct person owner = make_owner("alice");
	struct person stranger = make_owner("mallory");
	struct made_project made = make_project(&owner, "shop", false);
	struct made_project theirs = make_project(&stranger, "den", false);
	struct parts other;
	struct err e;

	make_parts(&other, "other");
	assert_fails(sandbox_add(api, stranger.id, made.id, &other.sandbox, &e), &e, ERR_NOT_FOUND,
		     "PROJECT_NOT_FOUND");
	/* A sandbox of another project is not part of this one. */
	assert_fails(
		sandbox_set_desired(api, stranger.id, theirs.id, made.sandbox, DESIRED_GONE, &e),
		&e, ERR_NOT_FOUND, "SANDBOX_NOT_FOUND");
	assert_fails(sandbox_restart(api, stranger.id, theirs.id, made.sandbox, &e), &e,
		     ERR_NOT_FOUND, "SANDBOX_NOT_FOUND");
	ck_assert_int_eq(generation(made.sandbox), 1);
}
END_TEST

START_TEST(a_list_counts_projects_however_many_sandboxes_they_have)
{
	struct person owner = make_owner("alice");
	struct project_filter filter = { .limit = 1 };
	struct err e;

	for (int p = 0; p < 2; p++) {
		struct made_project made = make_project(&owner, p ? "two" : "one", true);
		for (int i = 0; i < 2; i++) {
			struct parts other;
			make_parts(&other, i ? (p ? "a" : "b") : (p ? "c" : "d"));
			assert_ok(sandbox_add(api, owner.id, made.id, &other.sandbox, &e), &e);
		}
	}
	CLEANUP(project_rows_clear) struct project_rows rows = { .count = 0 };
	assert_ok(project_list(api, owner.id, &filter, &rows, &e), &e);
	ck_assert_uint_eq(rows.count, 1);
	ck_assert_uint_eq(rows.items[0].sandbox_count, 3);
	CLEANUP(project_rows_clear) struct project_rows rest = { .count = 0 };
	filter.cursor = rows.next_cursor;
	assert_ok(project_list(api, owner.id, &filter, &rest, &e), &e);
	ck_assert_uint_eq(rest.items[0].sandbox_count, 3);
	ck_assert_ptr_nonnull(rest.items[0].database);
	ck_assert_str_eq(rest.next_cursor, "");
}
END_TEST

/* ---- variables ------------------------------------------------------------------------------- */

static struct variable_new variable(const char *key, const char *value)
{
	return (struct variable_new) { .key = key,
				       .category = "general",
				       .value_sealed = value,
				       .value_sealed_length = strlen(value) };
}

/* The desired state of the project's sandbox does not change: its pod is replaced by a pass that
 * knows the connection. */
START_TEST(a_database_is_added_later_and_only_once)
{
	struct person owner = make_owner("alice");
	struct made_project made = make_project(&owner, "shop", false);
	struct parts parts;
	struct err e;

	make_parts(&parts, "later");
	reach(STATUS_RUNNING);
	assert_ok(database_add(api, owner.id, made.id, parts.id[1], &e), &e);
	ck_assert_str_eq(told(parts.id[1]), "CREATING");
	ck_assert_str_eq(told(made.sandbox), "RUNNING");
	ck_assert_str_eq(project_told(made.id), "CREATING");
	ck_assert_int_eq(generation(made.sandbox), 1);
	struct queue_rows rows = claim(10);
	ck_assert_str_eq(find_row(&rows, parts.id[1])->namespace, "ns-alice");
	queue_rows_clear(&rows);
	/* Again, with another id: the existing one is kept. */
	make_parts(&parts, "again");
	assert_ok(database_add(api, owner.id, made.id, parts.id[1], &e), &e);
	ck_assert_int_eq(admin_int("SELECT count(*) FROM databases", NULL), 1);
}
END_TEST

START_TEST(a_database_needs_a_kubeconfig_and_its_owner)
{
	struct person owner = make_owner("alice"), stranger = make_owner("mallory");
	struct made_project made = make_project(&owner, "shop", false);
	struct parts parts;
	struct err e;

	make_parts(&parts, "later");
	assert_fails(database_add(api, stranger.id, made.id, parts.id[1], &e), &e, ERR_NOT_FOUND,
		     "PROJECT_NOT_FOUND");
	assert_fails(database_remove(api, stranger.id, made.id, &e), &e, ERR_NOT_FOUND,
		     "PROJECT_NOT_FOUND");
	assert_fails(database_remove(api, owner.id, made.id, &e), &e, ERR_NOT_FOUND,
		     "DATABASE_NOT_FOUND");
	admin_run("DELETE FROM kubeconfigs WHERE user_id = $1", owner.id);
	assert_fails(database_add(api, owner.id, made.id, parts.id[1], &e), &e, ERR_UNPROCESSABLE,
		     "KUBECONFIG_MISSING");
	ck_assert_int_eq(admin_int("SELECT count(*) FROM databases", NULL), 0);
}
END_TEST

static const struct queue_row *claim_sandbox(struct queue_rows *ret_rows,
					     const struct made_project *made)
{
	*ret_rows = claim(10);
	return find_row(ret_rows, made->sandbox);
}

START_TEST(a_database_being_deleted_no_longer_concerns_sandboxes)
{
	struct person owner = make_owner("alice");
	struct made_project made = make_project(&owner, "shop", true);
	CLEANUP(queue_rows_clear) struct queue_rows rows = { 0 };
	CLEANUP(sandbox_view_clear) struct sandbox_view view = { 0 };
	struct err e;

	reach(STATUS_RUNNING);
	assert_ok(database_remove(api, owner.id, made.id, &e), &e);
	ck_assert_str_eq(told(made.database), "TERMINATING");
	ck_assert_str_eq(told(made.sandbox), "UPDATING");
	ck_assert_int_eq(generation(made.sandbox), 2);
	/* Again: nothing changes. */
	assert_ok(database_remove(api, owner.id, made.id, &e), &e);
	ck_assert_int_eq(generation(made.sandbox), 2);
	assert_ok(sandbox_get(api, owner.id, made.id, SANDBOX_FIRST, &view, &e), &e);
	ck_assert(!view.has_database);

	ck_assert_ptr_null(claim_sandbox(&rows, &made)->database_name);
	ck_assert_str_eq(find_row(&rows, made.database)->database_id, made.database);
	/* Neither a start nor a restart undoes the removal. */
	assert_ok(project_set_desired(api, owner.id, made.id, DESIRED_RUNNING, &e), &e);
	assert_ok(project_restart(api, owner.id, made.id, &e), &e);
	ck_assert_str_eq(told(made.database), "TERMINATING");
}
END_TEST

START_TEST(a_database_added_to_a_stopped_project_is_stopped_until_a_start)
{
	struct person owner = make_owner("alice");
	struct made_project made = make_project(&owner, "shop", false);
	struct parts parts;
	struct err e;

	make_parts(&parts, "later");
	reach(STATUS_RUNNING);
	want(&owner, &made, DESIRED_STOPPED);
	reach(STATUS_STOPPED);
	assert_ok(database_add(api, owner.id, made.id, parts.id[1], &e), &e);
	ck_assert_str_eq(told(parts.id[1]), "STOPPED");
	ck_assert_str_eq(project_told(made.id), "STOPPED");
	struct queue_rows rows = claim(10);
	ck_assert_int_eq(find_row(&rows, parts.id[1])->desired, DESIRED_STOPPED);
	queue_rows_clear(&rows);
	assert_ok(sandbox_set_desired(api, owner.id, made.id, made.sandbox, DESIRED_RUNNING, &e),
		  &e);
	ck_assert_str_eq(told(parts.id[1]), "STARTING");
	ck_assert_str_eq(project_told(made.id), "STARTING");
}
END_TEST

START_TEST(a_database_on_its_way_out_is_not_brought_back)
{
	struct person owner = make_owner("alice");
	struct made_project made = make_project(&owner, "shop", true);
	struct parts parts;
	struct err e;

	make_parts(&parts, "later");
	reach(STATUS_RUNNING);
	assert_ok(database_remove(api, owner.id, made.id, &e), &e);
	assert_fails(database_add(api, owner.id, made.id, parts.id[1], &e), &e, ERR_CONFLICT,
		     "DATABASE_GOING");
	ck_assert_str_eq(told(made.database), "TERMINATING");
	ck_assert_int_eq(generation(made.database), 2);
	ck_assert_int_eq(admin_int("SELECT count(*) FROM databases", NULL), 1);
}
END_TEST

START_TEST(variables_are_put_listed_changed_and_deleted)
{
	struct person owner = make_owner("alice");
	struct made_project made = make_project(&owner, "shop", false);
	const struct variable_new three[] = { variable("B", "1"), variable("A", "\xff\x01"),
					      variable("B", "2") };
	CLEANUP(variable_rows_clear) struct variable_rows rows = { 0 };
	struct err e;

	assert_ok(variable_list(api, owner.id, made.id, &rows, &e), &e);
	ck_assert_uint_eq(rows.count, 0);
	variable_rows_clear(&rows);
	assert_ok(variable_put(api, owner.id, made.id, three, 3, &e), &e);
	assert_ok(variable_list(api, owner.id, made.id, &rows, &e), &e);
	ck_assert_uint_eq(rows.count, 2);
	ck_assert_str_eq(rows.items[0].key, "A");
	ck_assert_mem_eq(rows.items[0].value_sealed, "\xff\x01", 2);
	ck_assert_str_eq(rows.items[0].project_id, made.id);
	ck_assert_str_eq(rows.items[0].category, "general");
	ck_assert_uint_eq(rows.items[1].value_sealed_length, 1);
	ck_assert_mem_eq(rows.items[1].value_sealed, "2", 1);

	char id[STORE_ID_LENGTH + 1];
	(void)snprintf(id, sizeof(id), "%s", rows.items[1].id);
	variable_rows_clear(&rows);
	const struct variable_change change = { .category = "auth",
						.set_secret = true,
						.is_secret = true };
	assert_ok(variable_change(api, owner.id, made.id, id, &change, &e), &e);
	assert_ok(variable_get(api, owner.id, made.id, id, &rows, &e), &e);
	ck_assert_uint_eq(rows.count, 1);
	ck_assert(rows.items[0].is_secret);
	ck_assert_str_eq(rows.items[0].category, "auth");
	ck_assert_mem_eq(rows.items[0].value_sealed, "2", 1);
	variable_rows_clear(&rows);
	assert_ok(variable_delete(api, owner.id, made.id, id, &e), &e);
	assert_fails(variable_get(api, owner.id, made.id, id, &rows, &e), &e, ERR_NOT_FOUND,
		     "VARIABLE_NOT_FOUND");
}
END_TEST

START_TEST(a_changed_variable_rolls_the_sandbox_once)
{
	struct person owner = make_owner("alice");
	struct made_project made = make_project(&owner, "shop", true);
	const struct variable_new two[] = { variable("A", "1"), variable("B", "1") };
	const struct variable_change label = { .category = "auth" };
	const struct variable_change value = { .value_sealed = "2", .value_sealed_length = 1 };
	char id[STORE_ID_LENGTH + 1];
	struct err e;

	reach(STATUS_RUNNING);
	assert_ok(variable_put(api, owner.id, made.id, two, 2, &e), &e);
	ck_assert_int_eq(generation(made.sandbox), 2);
	ck_assert_int_eq(generation(made.database), 1);
	ck_assert_str_eq(told(made.sandbox), "UPDATING");
	ck_assert_str_eq(project_told(made.id), "UPDATING");
	ck_assert_str_eq(due(made.sandbox), "t");
	(void)snprintf(id, sizeof(id), "%s",
		       admin_text("SELECT id FROM environment WHERE key = $1", "A"));
	assert_ok(variable_change(api, owner.id, made.id, id, &label, &e), &e);
	ck_assert_int_eq(generation(made.sandbox), 2);
	assert_ok(variable_change(api, owner.id, made.id, id, &value, &e), &e);
	ck_assert_int_eq(generation(made.sandbox), 3);
	/* A stopped sandbox gets them when it starts. */
	want(&owner, &made, DESIRED_STOPPED);
	reach(STATUS_STOPPED);
	assert_ok(variable_delete(api, owner.id, made.id, id, &e), &e);
	ck_assert_int_eq(generation(made.sandbox), 5);
	ck_assert_str_eq(told(made.sandbox), "STOPPED");
}
END_TEST

START_TEST(a_project_has_so_many_variables_and_no_more)
{
	struct person owner = make_owner("alice");
	struct made_project made = make_project(&owner, "shop", false);
	struct variable_new many[256];
	char keys[ARRAY_SIZE(many)][8];
	struct variable_new more = variable("MORE", "1");
	struct err e;

	for (size_t i = 0; i < ARRAY_SIZE(many); i++) {
		(void)snprintf(keys[i], sizeof(keys[i]), "K%zu", i);
		many[i] = variable(keys[i], "1");
	}
	assert_ok(variable_put(api, owner.id, made.id, many, ARRAY_SIZE(many), &e), &e);
	assert_ok(variable_put(api, owner.id, made.id, many, ARRAY_SIZE(many), &e), &e);
	assert_fails(variable_put(api, owner.id, made.id, &more, 1, &e), &e, ERR_UNPROCESSABLE,
		     "TOO_MANY_VARIABLES");
	ck_assert_int_eq(admin_int("SELECT count(*) FROM environment", NULL), 256);
	ck_assert_int_eq(generation(made.sandbox), 3);
}
END_TEST

START_TEST(variables_are_no_more_than_a_secret_can_hold)
{
	struct person owner = make_owner("alice");
	struct made_project made = make_project(&owner, "shop", false);
	static char large[60000];
	struct variable_new many[8];
	struct variable_change change = { .value_sealed = large,
					  .value_sealed_length = sizeof(large) };
	char keys[ARRAY_SIZE(many)][8];
	struct variable_new more = variable("MORE", "1");
	CLEANUP(variable_rows_clear) struct variable_rows rows = { 0 };
	struct err e;

	for (size_t i = 0; i < ARRAY_SIZE(many); i++) {
		(void)snprintf(keys[i], sizeof(keys[i]), "K%zu", i);
		many[i] = variable(keys[i], "1");
		many[i].value_sealed = large;
		many[i].value_sealed_length = sizeof(large);
	}
	assert_ok(variable_put(api, owner.id, made.id, many, ARRAY_SIZE(many), &e), &e);
	assert_ok(variable_put(api, owner.id, made.id, many, ARRAY_SIZE(many), &e), &e);
	assert_ok(variable_put(api, owner.id, made.id, &more, 1, &e), &e);
	more.value_sealed = large;
	more.value_sealed_length = sizeof(large);
	assert_fails(variable_put(api, owner.id, made.id, &more, 1, &e), &e, ERR_UNPROCESSABLE,
		     "VARIABLES_TOO_LARGE");
	assert_ok(variable_list(api, owner.id, made.id, &rows, &e), &e);
	const char *id = rows.items[ARRAY_SIZE(many)].id; /* MORE is unchanged */
	ck_assert_uint_lt(rows.items[ARRAY_SIZE(many)].value_sealed_length, 100);
	assert_fails(variable_change(api, owner.id, made.id, id, &change, &e), &e,
		     ERR_UNPROCESSABLE, "VARIABLES_TOO_LARGE");
	assert_ok(variable_delete(api, owner.id, made.id, rows.items[0].id, &e), &e);
	assert_ok(variable_change(api, owner.id, made.id, id, &change, &e), &e);
}
END_TEST

/* ---- events ---------------------------------------------------------------------------------- */

START_TEST(events_are_listed_newest_first)
{
	struct person owner = make_owner("alice");
	struct made_project made = make_project(&owner, "shop", false);
	CLEANUP(event_rows_clear) struct event_rows rows = { 0 };
	struct err e;

	reach(STATUS_RUNNING);
	want(&owner, &made, DESIRED_STOPPED);
	assert_ok(event_list(api, owner.id, made.id, 0, 3, &rows, &e), &e);
	ck_assert_uint_eq(rows.count, 3);
	ck_assert_ptr_null(rows.items[0].kind);
	ck_assert_str_eq(rows.items[0].status, "STOPPING");
	ck_assert_str_eq(rows.items[1].kind, "SANDBOX");
	ck_assert_str_eq(rows.items[1].status, "STOPPING");
	ck_assert_str_eq(rows.items[2].status, "RUNNING");
	int64_t last = rows.items[2].id;
	event_rows_clear(&rows);
	assert_ok(event_list(api, owner.id, made.id, last, 10, &rows, &e), &e);
	ck_assert_uint_eq(rows.count, 2);
	ck_assert_str_eq(rows.items[0].status, "RUNNING");
	ck_assert_str_eq(rows.items[1].status, "CREATING");
	event_rows_clear(&rows);
	assert_ok(event_list(api, owner.id, made.id, 1, 10, &rows, &e), &e);
	ck_assert_uint_eq(rows.count, 0);
}
END_TEST

Suite *desired_suite(void)
{
	Suite *suite = suite_create("wants");
	TCase *c = live_case("wants");

	tcase_add_test(c, stop_and_start_tell_it_at_once);
	tcase_add_test(c, a_start_of_a_running_sandbox_observes_it_first);
	tcase_add_test(c, every_request_makes_the_whole_project_due);
	tcase_add_test(c, an_error_that_is_asked_to_run_is_tried_again_at_once);
	tcase_add_test(c, deletion_cannot_be_taken_back);
	tcase_add_test(c, a_project_without_resources_goes_at_once);
	tcase_add_test(c, a_restart_rolls_the_pod_and_starts_what_was_stopped);
	tcase_add_test(c, a_sandbox_is_terminated_and_made_anew_beside_its_database);
	tcase_add_test(c, a_sandbox_on_its_way_out_comes_back_under_its_names);
	tcase_add_test(c, starting_a_sandbox_starts_its_database);
	tcase_add_test(c, one_sandbox_of_several_stops_restarts_and_goes_alone);
	tcase_add_test(c, a_stranger_has_no_say_in_any_sandbox);
	tcase_add_test(c, a_list_counts_projects_however_many_sandboxes_they_have);
	tcase_add_test(c, a_database_is_added_later_and_only_once);
	tcase_add_test(c, a_database_needs_a_kubeconfig_and_its_owner);
	tcase_add_test(c, a_database_being_deleted_no_longer_concerns_sandboxes);
	tcase_add_test(c, a_database_added_to_a_stopped_project_is_stopped_until_a_start);
	tcase_add_test(c, a_database_on_its_way_out_is_not_brought_back);
	tcase_add_test(c, variables_are_put_listed_changed_and_deleted);
	tcase_add_test(c, a_changed_variable_rolls_the_sandbox_once);
	tcase_add_test(c, a_project_has_so_many_variables_and_no_more);
	tcase_add_test(c, variables_are_no_more_than_a_secret_can_hold);
	tcase_add_test(c, events_are_listed_newest_first);
	suite_add_tcase(suite, c);
	return suite;
}
