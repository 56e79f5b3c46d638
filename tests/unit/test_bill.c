/* Tests what users are charged for the costs of their API servers. */
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "reconcile/bill.h"
#include "reconcile/work.h"

#define USER "11111111-1111-4111-8111-111111111111"

START_TEST(only_observations_that_succeed_pay)
{
	enum { LITTLE_US = 1000, MUCH_US = 100000 };
	static const struct {
		unsigned succeeded, tried, failed;
		uint64_t us, charged_us, paid_us;
	} rows[] = {
		{ 1, 0, 0, LITTLE_US, 0, BILL_FREE_US - LITTLE_US },
		{ 1, 0, 0, MUCH_US, MUCH_US - BILL_FREE_US, 0 },
		{ 0, 0, 1, LITTLE_US, LITTLE_US, 0 },
		{ 0, 1, 0, LITTLE_US, 0, 0 },
		{ 0, 1, 0, MUCH_US, MUCH_US - BILL_TRIED_US, 0 },
		{ 0, 5, 1, MUCH_US, MUCH_US - 5 * BILL_TRIED_US, 0 },
		{ 1, 5, 0, LITTLE_US, 0, BILL_FREE_US - LITTLE_US },
		{ 1, 1, 1, BILL_FREE_US + LITTLE_US, 0, 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const unsigned counts[] = { [BILL_SUCCEEDED] = rows[i].succeeded,
					    [BILL_TRIED] = rows[i].tried,
					    [BILL_FAILED] = rows[i].failed };
		struct bill bill = { .count = 0 };
		for (unsigned outcome = BILL_SUCCEEDED; outcome <= BILL_FAILED; outcome++) {
			for (unsigned n = 0; n < counts[outcome]; n++)
				bill_add(&bill, USER, true, outcome);
		}
		ck_assert_uint_eq(bill.count, 1);
		const struct spending s = bill_settle(&bill.items[0], rows[i].us);
		ck_assert_str_eq(s.user_id, USER);
		ck_assert_uint_eq(s.charged_us, rows[i].charged_us);
		ck_assert_uint_eq(s.paid_us, rows[i].paid_us);
		bill.items[0].in_debt = false;
		ck_assert_uint_eq(bill_settle(&bill.items[0], rows[i].us).paid_us, 0);
	}
}
END_TEST

static void finished(struct work *w)
{
	(void)w;
}

static const struct work_context context = { .finished = finished };
static const struct queue_row waiting = { .kind = RESOURCE_SANDBOX,
					  .desired = DESIRED_RUNNING,
					  .status = STATUS_CREATING,
					  .database_name = "box-db" };

static enum bill_outcome outcome_of_failure(enum err_kind kind, const char *code)
{
	struct work *w = work_new(&context, &waiting, NULL, 0);
	struct err e;

	err_set(&e, kind, code, "it failed");
	work_fail(w, &e);
	enum bill_outcome outcome = work_outcome(w);
	work_free(w);
	return outcome;
}

START_TEST(an_outcome_without_an_observation_is_no_success)
{
	struct work *w = work_new(&context, &waiting, NULL, 0);

	ck_assert_int_eq(work_outcome(w), BILL_TRIED);
	ck_assert(work_finish_blocked(w));
	ck_assert_ptr_nonnull(work_result(w));
	ck_assert_int_eq(work_outcome(w), BILL_TRIED);
	work_free(w);
	ck_assert_int_eq(outcome_of_failure(ERR_KUBE_TIMEOUT, KUBE_NOT_SENT), BILL_TRIED);
	ck_assert_int_eq(outcome_of_failure(ERR_KUBE_UNREACHABLE, NULL), BILL_TRIED);
	ck_assert_int_eq(outcome_of_failure(ERR_KUBE_TIMEOUT, NULL), BILL_FAILED);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("bill");
	TCase *tc = tcase_create("bill");
	SRunner *runner = srunner_create(suite);

	tcase_add_test(tc, only_observations_that_succeed_pay);
	tcase_add_test(tc, an_outcome_without_an_observation_is_no_success);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
