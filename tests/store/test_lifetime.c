/* Tests the end of a project: announced, stopped, and deleted after a grace period. */
#include <stdio.h>
#include <string.h>

#include "support.h"

static void tidy_up(void)
{
	const struct queue_retention keep = { .events_ms = UINT32_MAX,
					      .idempotency_ms = UINT32_MAX };
	struct err e;

	assert_ok(queue_housekeeping(reconcile, &keep, &e), &e);
}

/* Sets a project's end to that moment. */
static void set_end(const struct made_project *project, const char *sql)
{
	char statement[160];

	(void)snprintf(statement, sizeof(statement),
		       "UPDATE projects SET expires_at = %s WHERE id = $1::uuid", sql);
	admin_run(statement, project->id);
}

static const char *warnings_of(const struct made_project *project)
{
	return admin_text("SELECT coalesce(string_agg(w ->> 'code', ' '), '') FROM projects,"
			  " jsonb_array_elements(warnings) AS w WHERE id = $1::uuid",
			  project->id);
}

static int64_t count_events(const char *code)
{
	return admin_int("SELECT count(*) FROM events WHERE code = $1", code);
}

static bool is_desired(const struct made_project *project, const char *desired)
{
	return strcmp(desired,
		      admin_text("SELECT string_agg(DISTINCT desired::text, ' ') FROM resources"
				 " WHERE project_id = $1::uuid",
				 project->id)) == 0;
}

static bool is_in_trash(const struct made_project *project)
{
	return admin_int("SELECT count(*) FROM projects WHERE id = $1::uuid AND deleted_at <= now()"
			 " AND trash_until > now() + interval '6 days'",
			 project->id) == 1;
}

START_TEST(its_owner_is_warned_once_before_the_end)
{
	struct person owner = make_owner("alice");
	struct made_project made = make_project(&owner, "shop", true);
	struct err e;

	assert_ok(project_set_lifetime(api, owner.id, made.id, 48, &e), &e);
	tidy_up();
	ck_assert_str_eq(warnings_of(&made), "");
	set_end(&made, "now() + interval '23 hours'");
	tidy_up();
	tidy_up();
	ck_assert_str_eq(warnings_of(&made), "PROJECT_ENDING");
	ck_assert_int_eq(count_events("PROJECT_ENDING"), 1);
	ck_assert(is_desired(&made, "RUNNING"));

	assert_ok(project_set_lifetime(api, owner.id, made.id, 48, &e), &e);
	ck_assert_str_eq(warnings_of(&made), "");
	assert_ok(project_set_lifetime(api, owner.id, made.id, 1, &e), &e);
	tidy_up();
	ck_assert_int_eq(count_events("PROJECT_ENDING"), 2);
}
END_TEST

START_TEST(at_its_end_it_is_stopped_and_not_started_again)
{
	struct person owner = make_owner("alice");
	struct made_project made = make_project(&owner, "shop", true);
	struct err e;

	reach(STATUS_RUNNING);
	set_end(&made, "now()");
	tidy_up();
	ck_assert(is_desired(&made, "STOPPED"));
	ck_assert_str_eq(project_told(made.id), "STOPPING");
	ck_assert_str_eq(warnings_of(&made), "PROJECT_ENDED");
	ck_assert_int_eq(count_events("PROJECT_ENDED"), 1);
	reach(STATUS_STOPPED);

	assert_fails(project_set_desired(api, owner.id, made.id, DESIRED_RUNNING, &e), &e,
		     ERR_CONFLICT, "PROJECT_ENDED");
	assert_fails(project_restart(api, owner.id, made.id, &e), &e, ERR_CONFLICT,
		     "PROJECT_ENDED");
	assert_fails(
		sandbox_set_desired(api, owner.id, made.id, SANDBOX_FIRST, DESIRED_RUNNING, &e), &e,
		ERR_CONFLICT, "PROJECT_ENDED");
	ck_assert(is_desired(&made, "STOPPED"));
	tidy_up();
	ck_assert_int_eq(count_events("PROJECT_ENDED"), 1);
}
END_TEST

START_TEST(it_is_deleted_after_the_grace_and_no_earlier)
{
	struct person owner = make_owner("alice");
	struct made_project made = make_project(&owner, "shop", true);

	/* The grace period begins when it was stopped, even if that was late. */
	set_end(&made, "now() - interval '1 year'");
	tidy_up();
	reach(STATUS_STOPPED);
	tidy_up();
	ck_assert(is_desired(&made, "STOPPED"));
	ck_assert_int_eq(admin_int("SELECT count(*) FROM projects WHERE deletes_at"
				   " BETWEEN now() + interval '6 days 23 hours'"
				   " AND now() + interval '7 days'",
				   NULL),
			 1);
	admin_run("UPDATE projects SET deletes_at = now()", NULL);
	tidy_up();
	ck_assert(is_in_trash(&made));
}
END_TEST

START_TEST(more_time_takes_the_end_back_until_it_is_deleted)
{
	struct person owner = make_owner("alice");
	struct person other = make_owner("mallory");
	struct made_project made = make_project(&owner, "shop", false);
	struct err e;

	set_end(&made, "now()");
	tidy_up();
	admin_run("UPDATE projects SET deletes_at = now()", NULL);
	assert_fails(project_set_lifetime(api, other.id, made.id, 0, &e), &e, ERR_NOT_FOUND,
		     "PROJECT_NOT_FOUND");
	assert_ok(project_set_lifetime(api, owner.id, made.id, 0, &e), &e);
	tidy_up();
	ck_assert_str_eq(warnings_of(&made), "");
	ck_assert(is_desired(&made, "STOPPED"));
	assert_ok(project_set_desired(api, owner.id, made.id, DESIRED_RUNNING, &e), &e);
	ck_assert(is_desired(&made, "RUNNING"));

	assert_ok(project_set_desired(api, owner.id, made.id, DESIRED_GONE, &e), &e);
	assert_fails(project_set_lifetime(api, owner.id, made.id, 0, &e), &e, ERR_NOT_FOUND,
		     "PROJECT_NOT_FOUND");
}
END_TEST

static size_t count_listed(const struct person *owner, bool trash)
{
	CLEANUP(project_rows_clear) struct project_rows rows = { 0 };
	const struct project_filter filter = { .trash = trash };
	struct err e;

	assert_ok(project_list(api, owner->id, &filter, &rows, &e), &e);
	return rows.count;
}

START_TEST(what_is_deleted_can_be_brought_back)
{
	struct person owner = make_owner("alice");
	struct made_project made = make_project(&owner, "shop", true);
	struct err e;

	reach(STATUS_RUNNING);
	assert_ok(project_delete(api, owner.id, made.id, false, &e), &e);
	ck_assert(is_in_trash(&made) && is_desired(&made, "STOPPED"));
	ck_assert_uint_eq(count_listed(&owner, false), 0);
	ck_assert_uint_eq(count_listed(&owner, true), 1);
	assert_fails(project_set_desired(api, owner.id, made.id, DESIRED_RUNNING, &e), &e,
		     ERR_NOT_FOUND, "PROJECT_NOT_FOUND");
	reach(STATUS_STOPPED);
	assert_ok(project_delete(api, owner.id, made.id, false, &e), &e);
	tidy_up();
	ck_assert(is_in_trash(&made) && is_desired(&made, "STOPPED"));

	make_project(&owner, "shop", false);
	assert_fails(project_restore(api, owner.id, made.id, NULL, &e), &e, ERR_CONFLICT,
		     "PROJECT_EXISTS");
	assert_ok(project_restore(api, owner.id, made.id, "shop 2", &e), &e);
	ck_assert_uint_eq(count_listed(&owner, false), 2);
	ck_assert(is_desired(&made, "STOPPED"));
	assert_fails(project_restore(api, owner.id, made.id, NULL, &e), &e, ERR_NOT_FOUND,
		     "PROJECT_NOT_FOUND");
	assert_ok(project_set_desired(api, owner.id, made.id, DESIRED_RUNNING, &e), &e);
}
END_TEST

START_TEST(an_end_that_has_passed_does_not_come_back)
{
	struct person owner = make_owner("alice");
	struct made_project made = make_project(&owner, "shop", false);
	struct err e;

	set_end(&made, "now()");
	tidy_up();
	admin_run("UPDATE projects SET deletes_at = now()", NULL);
	tidy_up();
	assert_ok(project_restore(api, owner.id, made.id, NULL, &e), &e);
	tidy_up();
	ck_assert_uint_eq(count_listed(&owner, false), 1);
	ck_assert_str_eq(warnings_of(&made), "");
	assert_ok(project_set_desired(api, owner.id, made.id, DESIRED_RUNNING, &e), &e);
}
END_TEST

START_TEST(out_of_the_trash_it_goes_for_good)
{
	struct person owner = make_owner("alice");
	struct person other = make_owner("mallory");
	struct made_project at_once = make_project(&owner, "at once", true);
	struct made_project later = make_project(&owner, "later", true);
	struct made_project in_time = make_project(&owner, "in time", true);
	struct err e;

	assert_ok(project_delete(api, owner.id, at_once.id, true, &e), &e);
	ck_assert(is_desired(&at_once, "GONE"));
	assert_ok(project_delete(api, owner.id, later.id, false, &e), &e);
	assert_fails(project_delete(api, other.id, later.id, true, &e), &e, ERR_NOT_FOUND,
		     "PROJECT_NOT_FOUND");
	assert_fails(project_restore(api, other.id, later.id, NULL, &e), &e, ERR_NOT_FOUND,
		     "PROJECT_NOT_FOUND");
	assert_ok(project_delete(api, owner.id, later.id, true, &e), &e);
	ck_assert(is_desired(&later, "GONE"));
	assert_ok(project_delete(api, owner.id, in_time.id, false, &e), &e);
	admin_run("UPDATE projects SET trash_until = now() WHERE trash_until IS NOT NULL", NULL);
	tidy_up();
	ck_assert(is_desired(&in_time, "GONE"));
	ck_assert_uint_eq(count_listed(&owner, true), 0);
}
END_TEST

/* Its sandbox was being deleted when the project was. */
START_TEST(in_the_trash_a_project_outlives_its_last_resource)
{
	struct person owner = make_owner("alice");
	struct made_project made = make_project(&owner, "shop", false);
	struct err e;

	assert_ok(sandbox_set_desired(api, owner.id, made.id, SANDBOX_FIRST, DESIRED_GONE, &e), &e);
	assert_ok(project_delete(api, owner.id, made.id, false, &e), &e);
	struct queue_rows rows = claim(10);
	struct queue_result result = result_of(&rows.items[0], STATUS_TERMINATED);
	result.gone = true;
	assert_ok(queue_record(reconcile, &result, 1, NULL, &e), &e);
	queue_rows_clear(&rows);
	ck_assert_int_eq(admin_int("SELECT count(*) FROM resources", NULL), 0);
	ck_assert_uint_eq(count_listed(&owner, true), 1);
	admin_run("UPDATE projects SET trash_until = now()", NULL);
	tidy_up();
	ck_assert_int_eq(admin_int("SELECT count(*) FROM projects", NULL), 0);
}
END_TEST

Suite *lifetime_suite(void)
{
	Suite *suite = suite_create("lifetime");
	TCase *tc = live_case("lifetime");

	tcase_add_test(tc, its_owner_is_warned_once_before_the_end);
	tcase_add_test(tc, at_its_end_it_is_stopped_and_not_started_again);
	tcase_add_test(tc, it_is_deleted_after_the_grace_and_no_earlier);
	tcase_add_test(tc, more_time_takes_the_end_back_until_it_is_deleted);
	tcase_add_test(tc, what_is_deleted_can_be_brought_back);
	tcase_add_test(tc, an_end_that_has_passed_does_not_come_back);
	tcase_add_test(tc, out_of_the_trash_it_goes_for_good);
	tcase_add_test(tc, in_the_trash_a_project_outlives_its_last_resource);
	suite_add_tcase(suite, tc);
	return suite;
}
