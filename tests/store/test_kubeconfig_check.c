/* Tests the checks of kubeconfigs: their queue, and who may write what. */
#include <string.h>

#include <jansson.h>

#include "store/kubeconfig_check.h"
#include "support.h"

static const char *const findings_text =
	"[{\"name\":\"credentials\",\"status\":\"failed\",\"kind\":\"KUBE_UNAUTHORIZED\","
	"\"code\":\"KUBE_UNAUTHORIZED\",\"detail\":\"Unauthorized\"}]";

static struct kubeconfig_checks claim_some(unsigned limit, unsigned slow_limit)
{
	const struct kubeconfig_check_claim claim = { .limit = limit,
						      .slow_limit = slow_limit,
						      .lease_ms = 60000 };
	struct kubeconfig_checks checks;
	struct err e;

	assert_ok(kubeconfig_check_claim(reconcile, &claim, &checks, &e), &e);
	return checks;
}

static void record(const struct kubeconfig_check *check, const char *text, uint64_t took_ms)
{
	json_auto_t *findings = text != NULL ? json_loads(text, 0, NULL) : NULL;
	struct err e;

	assert_ok(kubeconfig_check_record(reconcile, check, findings, took_ms, &e), &e);
}

/* Returns what the owner is shown: "STATE CHECKS". */
static const char *shown(const struct person *person)
{
	static char text[64];
	json_t *check;
	struct err e;

	assert_ok(kubeconfig_check_get(api, person->id, &check, &e), &e);
	(void)snprintf(text, sizeof(text), "%s %zu",
		       json_string_value(json_object_get(check, "state")),
		       json_array_size(json_object_get(check, "checks")));
	json_decref(check);
	return text;
}

/* Pretends that the last check was a minute ago. */
static void pass_a_minute(void)
{
	admin_run("UPDATE kubeconfig_checks SET due_at = now(),"
		  " begun_at = begun_at - interval '1 minute'",
		  NULL);
}

START_TEST(storing_one_makes_its_check_due)
{
	struct person alice = make_owner("alice");

	ck_assert_str_eq(shown(&alice), "pending 0");
	struct kubeconfig_checks checks = claim_some(10, 10);
	ck_assert_uint_eq(checks.count, 1);
	ck_assert_str_eq(checks.items[0].user_id, alice.id);
	ck_assert(checks.items[0].sealed_length > 0);
	ck_assert_str_eq(shown(&alice), "running 0");
	record(&checks.items[0], findings_text, 10);
	kubeconfig_checks_clear(&checks);
	ck_assert_str_eq(shown(&alice), "done 1");
	checks = claim_some(10, 10);
	ck_assert_uint_eq(checks.count, 0);
	kubeconfig_checks_clear(&checks);
}
END_TEST

START_TEST(findings_have_the_texts_of_their_causes)
{
	struct person alice = make_owner("alice");
	struct kubeconfig_checks checks = claim_some(1, 0);
	json_t *check;
	struct err e;

	record(&checks.items[0], findings_text, 10);
	kubeconfig_checks_clear(&checks);
	assert_ok(kubeconfig_check_get(api, alice.id, &check, &e), &e);
	const json_t *first = json_array_get(json_object_get(check, "checks"), 0);
	ck_assert_str_eq(json_string_value(json_object_get(first, "headline")),
			 "Your cluster does not accept the stored kubeconfig");
	ck_assert_ptr_nonnull(json_string_value(json_object_get(first, "action")));
	json_decref(check);
}
END_TEST

START_TEST(a_result_for_a_replaced_kubeconfig_is_dropped)
{
	struct person alice = make_owner("alice");
	struct kubeconfig_checks checks = claim_some(1, 0);

	put_kubeconfig(&alice, "ns-alice");
	ck_assert_str_eq(shown(&alice), "pending 0");
	record(&checks.items[0], findings_text, 10);
	kubeconfig_checks_clear(&checks);
	ck_assert_str_eq(shown(&alice), "pending 0");
	checks = claim_some(1, 0);
	ck_assert_uint_eq(checks.count, 0); /* not again within a minute */
	kubeconfig_checks_clear(&checks);
	pass_a_minute();
	checks = claim_some(1, 0);
	ck_assert_int_eq(checks.items[0].generation, 2);
	ck_assert_int_eq(checks.items[0].version, 2);
	kubeconfig_checks_clear(&checks);
}
END_TEST

START_TEST(a_pass_whose_lease_has_ended_changes_nothing)
{
	struct person alice = make_owner("alice");
	struct kubeconfig_checks late = claim_some(1, 0);

	admin_run("UPDATE kubeconfig_checks SET leased_until = now(), due_at = now()", NULL);
	struct kubeconfig_checks checks = claim_some(1, 0);
	ck_assert_uint_eq(checks.count, 1);
	record(&late.items[0], findings_text, 10);
	ck_assert_str_eq(shown(&alice), "running 0");
	record(&checks.items[0], "[]", 10);
	record(&late.items[0], findings_text, 10);
	ck_assert_str_eq(shown(&alice), "done 0");
	kubeconfig_checks_clear(&late);
	kubeconfig_checks_clear(&checks);
}
END_TEST

START_TEST(an_inconclusive_check_is_due_again_soon)
{
	struct person alice = make_owner("alice");
	struct kubeconfig_checks checks = claim_some(1, 0);

	record(&checks.items[0], NULL, 10);
	kubeconfig_checks_clear(&checks);
	ck_assert_str_eq(shown(&alice), "pending 0");
	ck_assert_int_eq(
		admin_int("SELECT count(*) FROM kubeconfig_checks WHERE leased_until IS NULL"
			  " AND due_at BETWEEN now() AND now() + interval '5 seconds'",
			  NULL),
		1);
}
END_TEST

START_TEST(a_new_request_keeps_the_previous_findings)
{
	struct person alice = make_owner("alice");
	struct kubeconfig_checks checks = claim_some(1, 0);
	struct err e;

	assert_ok(kubeconfig_check_ask(api, alice.id, &e), &e);
	ck_assert_str_eq(shown(&alice), "running 0"); /* the running check suffices */
	record(&checks.items[0], findings_text, 10);
	kubeconfig_checks_clear(&checks);
	assert_ok(kubeconfig_check_ask(api, alice.id, &e), &e);
	assert_ok(kubeconfig_check_ask(api, alice.id, &e), &e);
	ck_assert_str_eq(shown(&alice), "pending 1");
	ck_assert_int_eq(admin_int("SELECT generation FROM kubeconfig_checks"
				   " WHERE due_at = begun_at + interval '1 minute'",
				   NULL),
			 2);
}
END_TEST

START_TEST(without_a_stored_kubeconfig_nothing_can_be_requested)
{
	struct person bob = make_person("bob");
	json_t *check;
	struct err e;

	assert_ok(kubeconfig_check_ask(api, bob.id, &e), &e);
	assert_ok(kubeconfig_check_get(api, bob.id, &check, &e), &e);
	ck_assert_ptr_null(check);
}
END_TEST

START_TEST(slow_clusters_have_their_own_places)
{
	struct kubeconfig_checks checks;

	make_owner("alice");
	make_owner("bob");
	checks = claim_some(10, 0);
	record(&checks.items[0], findings_text, 5000);
	record(&checks.items[1], findings_text, 10);
	kubeconfig_checks_clear(&checks);
	pass_a_minute();
	checks = claim_some(10, 0);
	ck_assert_uint_eq(checks.count, 1);
	ck_assert(!checks.items[0].slow);
	kubeconfig_checks_clear(&checks);
	checks = claim_some(0, 10);
	ck_assert_uint_eq(checks.count, 1);
	ck_assert(checks.items[0].slow);
	kubeconfig_checks_clear(&checks);
}
END_TEST

START_TEST(a_row_sealed_to_another_hosts_key_is_left_to_it)
{
	const char *keys = "[\"0102030405060708\"]";
	struct kubeconfig_check_claim claim = { .limit = 1,
						.lease_ms = 60000,
						.foreign_keys = keys };
	struct kubeconfig_checks checks;
	struct err e;

	make_owner("alice");
	admin_run("UPDATE kubeconfigs SET sealed = '\\x465341320102030405060708ff'", NULL);
	assert_ok(kubeconfig_check_claim(reconcile, &claim, &checks, &e), &e);
	ck_assert_uint_eq(checks.count, 0);
	kubeconfig_checks_clear(&checks);
}
END_TEST

START_TEST(a_pass_learns_when_the_next_row_is_due)
{
	uint64_t due_ms;
	struct err e;

	make_owner("alice");
	assert_ok(queue_next_due(reconcile, &everybody, &due_ms, &e), &e);
	ck_assert_uint_eq(due_ms, 0);
	struct kubeconfig_checks checks = claim_some(1, 0);
	assert_ok(queue_next_due(reconcile, &everybody, &due_ms, &e), &e);
	ck_assert(due_ms > 0 && due_ms <= 60000); /* in case this pass does not return */
	record(&checks.items[0], findings_text, 10);
	kubeconfig_checks_clear(&checks);
	assert_ok(queue_next_due(reconcile, &everybody, &due_ms, &e), &e);
	ck_assert(due_ms == UINT64_MAX);
}
END_TEST

Suite *kubeconfig_check_suite(void)
{
	Suite *suite = suite_create("kubeconfig checks");
	TCase *live = live_case("live");

	tcase_add_test(live, storing_one_makes_its_check_due);
	tcase_add_test(live, findings_have_the_texts_of_their_causes);
	tcase_add_test(live, a_result_for_a_replaced_kubeconfig_is_dropped);
	tcase_add_test(live, a_pass_whose_lease_has_ended_changes_nothing);
	tcase_add_test(live, an_inconclusive_check_is_due_again_soon);
	tcase_add_test(live, a_new_request_keeps_the_previous_findings);
	tcase_add_test(live, without_a_stored_kubeconfig_nothing_can_be_requested);
	tcase_add_test(live, slow_clusters_have_their_own_places);
	tcase_add_test(live, a_row_sealed_to_another_hosts_key_is_left_to_it);
	tcase_add_test(live, a_pass_learns_when_the_next_row_is_due);
	suite_add_tcase(suite, live);
	return suite;
}
