/* Tests what is sent, and how notifications are parsed; tests/events/ tests the rest. */
#include <stdlib.h>
#include <string.h>

#include <check.h>
#include <jansson.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "events/message.h"
#include "store/live.h"

#define USER    "11111111-1111-4111-8111-111111111111"
#define PROJECT "22222222-2222-4222-8222-222222222222"

static json_t *parse(char *text)
{
	json_t *json = json_loads(text, 0, NULL);

	ck_assert_ptr_nonnull(json);
	ck_assert_ptr_null(strchr(text, '\n')); /* the data of a server-sent event is one line */
	free(text);
	return json;
}

static void assert_member(const json_t *object, const char *name, const char *value)
{
	ck_assert_str_eq(json_string_value(json_object_get(object, name)), value);
}

START_TEST(a_project_is_sent_with_its_parts)
{
	struct live_resource resources[] = {
		{ .kind = "SANDBOX",
		  .id = USER,
		  .desired = "RUNNING",
		  .status = "ERROR",
		  .status_since = "2026-11-23T20:51:32.042Z",
		  .stage = "container",
		  .cause_kind = "POD_IMAGE",
		  .cause_message = "no such\nimage",
		  .warnings = "[{\"code\": \"RESTARTED\", \"message\": \"m\"}, "
			      "{\"code\": \"OF_LATER\", \"message\": \"n\"}]" },
	};
	struct live_project project = {
		.id = PROJECT,
		.name = "My \"App\"",
		.status = "ERROR",
		.updated_at = "2026-11-23T20:51:32.042Z",
		.resources = resources,
		.resource_count = ARRAY_SIZE(resources),
	};
	json_t *told = parse(message_project(&project));
	const json_t *sandbox = json_array_get(json_object_get(told, "sandboxes"), 0);
	const json_t *cause = json_object_get(sandbox, "cause");

	assert_member(told, "id", PROJECT);
	assert_member(told, "name", "My \"App\"");
	assert_member(sandbox, "stage", "container");
	assert_member(cause, "kind", "POD_IMAGE");
	assert_member(cause, "message", "no such\nimage");
	assert_member(cause, "detail", "no such\nimage");
	assert_member(cause, "headline", "The sandbox's image cannot be loaded");
	ck_assert(json_is_null(json_object_get(cause, "code")));
	const json_t *warnings = json_object_get(sandbox, "warnings");
	assert_member(json_array_get(warnings, 0), "message", "m");
	assert_member(json_array_get(warnings, 0), "headline",
		      "The container ended and was started again");
	assert_member(json_array_get(warnings, 1), "code", "OF_LATER");
	ck_assert(json_is_null(json_object_get(json_array_get(warnings, 1), "headline")));
	ck_assert_uint_eq(json_array_size(json_object_get(told, "databases")), 0);
	json_decref(told);
}
END_TEST

START_TEST(a_healthy_resource_has_no_cause)
{
	struct live_resource resources[] = { { .kind = "DATABASE",
					       .id = USER,
					       .desired = "RUNNING",
					       .status = "RUNNING",
					       .status_since = "t",
					       .stage = "ready" } };
	struct live_project project = { .id = PROJECT,
					.name = "App",
					.status = "RUNNING",
					.updated_at = "t",
					.resources = resources,
					.resource_count = ARRAY_SIZE(resources) };
	json_t *told = parse(message_project(&project));
	const json_t *database = json_array_get(json_object_get(told, "databases"), 0);

	ck_assert(json_is_null(json_object_get(database, "cause")));
	ck_assert_uint_eq(json_array_size(json_object_get(database, "warnings")), 0);
	json_decref(told);
}
END_TEST

START_TEST(a_deleted_project_is_sent_by_its_id)
{
	json_t *told = parse(message_gone(PROJECT));

	assert_member(told, "id", PROJECT);
	ck_assert_uint_eq(json_object_size(told), 1);
	json_decref(told);
}
END_TEST

START_TEST(a_notification_names_a_user_and_what_has_changed)
{
	struct live_change change;

	ck_assert(live_change_parse(USER " " PROJECT, &change));
	ck_assert_str_eq(change.user_id, USER);
	ck_assert_str_eq(change.project_id, PROJECT);
	ck_assert(!change.kubeconfig);
	ck_assert(live_change_parse(USER, &change));
	ck_assert_str_eq(change.project_id, "");
	ck_assert(!change.kubeconfig);
	ck_assert(live_change_parse(USER " kubeconfig", &change));
	ck_assert_str_eq(change.project_id, "");
	ck_assert(change.kubeconfig);
}
END_TEST

START_TEST(foreign_notifications_are_refused)
{
	static const char *const bad[] = {
		"",
		" ",
		"x",
		USER " ",
		USER "  " PROJECT,
		" " PROJECT,
		USER " " PROJECT " ",
		USER " kubeconfigs",
		USER " " PROJECT "/..",
		USER "/../../" PROJECT,
	};
	struct live_change change;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		ck_assert_msg(!live_change_parse(bad[i], &change), "\"%s\"", bad[i]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("events");
	TCase *c = tcase_create("events");

	mem_init_libraries();
	tcase_add_test(c, a_project_is_sent_with_its_parts);
	tcase_add_test(c, a_healthy_resource_has_no_cause);
	tcase_add_test(c, a_deleted_project_is_sent_by_its_id);
	tcase_add_test(c, a_notification_names_a_user_and_what_has_changed);
	tcase_add_test(c, foreign_notifications_are_refused);
	suite_add_tcase(suite, c);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
