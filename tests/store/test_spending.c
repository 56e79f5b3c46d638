/* Tests users who are charged for CPU time: their debt, their pause, and the places they share. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "store/shard.h"
#include "store/spending.h"
#include "support.h"

enum { DEBT_US = 10000, MOST_US = 100000 };

static void charge(const struct person *person, uint64_t us, uint64_t pause_s)
{
	const struct spending spending = { .user_id = person->id, .charged_us = us };
	struct err e;

	assert_ok(spending_record(reconcile, &spending, 1, 1000000 * pause_s, &e), &e);
}

static void pay(const struct person *person, uint64_t us)
{
	const struct spending spending = { .user_id = person->id, .paid_us = us };
	struct err e;

	assert_ok(spending_record(reconcile, &spending, 1, 0, &e), &e);
}

static int64_t owed_us(const struct person *person)
{
	return admin_int("SELECT owed_us FROM spending WHERE user_id = $1", person->id);
}

static void assert_pause(int64_t seconds)
{
	int64_t left = admin_int("SELECT ceil(extract(epoch FROM until - now()))::bigint"
				 " FROM spending_pause",
				 NULL);

	ck_assert_int_le(left, seconds);
	ck_assert_int_gt(left, seconds - 5);
}

static void end_pause(void)
{
	admin_run("UPDATE spending_pause SET until = now()", NULL);
}

START_TEST(what_is_owed_is_paid_or_forgotten)
{
	struct person owner = make_owner("owner");

	charge(&owner, 3000, 0);
	charge(&owner, 4000, 0);
	ck_assert_int_eq(owed_us(&owner), 7000);
	pay(&owner, 5000);
	ck_assert_int_eq(owed_us(&owner), 2000);
	pay(&owner, 5000);
	ck_assert_int_eq(owed_us(&owner), 0);
	charge(&owner, 20UL * MOST_US, 0);
	ck_assert_int_eq(owed_us(&owner), MOST_US);
	ck_assert_int_eq(admin_int("SELECT charged_us FROM spending WHERE user_id = $1", owner.id),
			 7000 + 20UL * MOST_US);
	admin_run("UPDATE spending SET at = now() - interval '61 minutes'", NULL);
	charge(&owner, 1000, 0);
	ck_assert_int_eq(owed_us(&owner), 1000);
}
END_TEST

START_TEST(each_charge_makes_the_pause_of_all_longer_up_to_a_limit)
{
	struct person first = make_owner("first"), second = make_owner("second");
	const struct spending both[] = {
		{ .user_id = first.id, .charged_us = 1 },
		{ .user_id = second.id, .charged_us = 2 },
		{ .user_id = "00000000-0000-4000-8000-000000000000", .charged_us = 4 },
	};
	struct err e;

	charge(&first, DEBT_US, 10);
	assert_pause(10);
	charge(&second, DEBT_US, 20);
	assert_pause(30);
	assert_ok(spending_record(reconcile, both, 3, 30000000, &e), &e);
	assert_pause(60);
	ck_assert_int_eq(admin_int("SELECT sum(charged_us) FROM spending", NULL), 2 * DEBT_US + 3);
	pay(&first, 1);
	assert_pause(60);
	charge(&first, 1, 3600);
	assert_pause(900);
}
END_TEST

struct charge {
	struct spending items[2];
	struct err e;
	int done;
};

static void *record_charge(void *argument)
{
	struct charge *c = argument;

	c->done = spending_record(reconcile, c->items, 2, 1000000, &c->e);
	return NULL;
}

/* Until somebody waits for the transaction of `admin`. */
static void await_blocked(void)
{
	while (admin_int("SELECT count(*) FROM pg_locks WHERE NOT granted"
			 " AND pg_backend_pid() = ANY (pg_blocking_pids(pid))",
			 NULL) == 0)
		(void)usleep(1000);
}

static void lock_user(struct db *tx, const char *id)
{
	static const struct db_statement lock = {
		"lock", "SELECT FROM spending WHERE user_id = $1 FOR UPDATE NOWAIT"
	};
	struct err e;

	assert_ok(db_query(tx, &lock, DB_ARGS(DB_TEXT(id)), NULL, &e), &e);
}

START_TEST(a_charge_that_waits_for_a_user_holds_neither_later_users_nor_the_pause)
{
	CLEANUP(db_rollback_guard) struct db *tx = NULL;
	static const struct db_statement lock_pause = {
		"lock_pause", "SELECT FROM spending_pause FOR UPDATE NOWAIT"
	};
	struct person first = make_owner("first"), last = make_owner("last");
	pthread_t thread;
	struct err e;

	if (strcmp(first.id, last.id) > 0) {
		const struct person other = first;
		first = last;
		last = other;
	}
	struct charge c = { .items = { { .user_id = last.id, .charged_us = DEBT_US },
				       { .user_id = first.id, .charged_us = DEBT_US } } };
	charge(&first, 1, 0);
	charge(&last, 1, 0);
	assert_ok(db_begin(admin, &tx, &e), &e);
	lock_user(tx, first.id);
	ck_assert_int_eq(pthread_create(&thread, NULL, record_charge, &c), 0);
	await_blocked();
	lock_user(tx, last.id);
	assert_ok(db_query(tx, &lock_pause, NULL, NULL, &e), &e);
	assert_ok(db_commit(&tx, &e), &e);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	assert_ok(c.done, &c.e);
	ck_assert_int_eq(owed_us(&first), DEBT_US + 1);
	ck_assert_int_eq(owed_us(&last), DEBT_US + 1);
}
END_TEST

START_TEST(a_user_who_goes_during_a_charge_costs_the_others_nothing)
{
	CLEANUP(db_rollback_guard) struct db *tx = NULL;
	static const struct db_statement remove = { "remove", "DELETE FROM users WHERE id = $1" };
	struct person going = make_owner("going"), other = make_owner("other");
	pthread_t thread;
	struct err e;

	struct charge c = { .items = { { .user_id = going.id, .charged_us = 1 },
				       { .user_id = other.id, .charged_us = 2 } } };
	assert_ok(db_begin(admin, &tx, &e), &e);
	assert_ok(db_query(tx, &remove, DB_ARGS(DB_TEXT(going.id)), NULL, &e), &e);
	ck_assert_int_eq(pthread_create(&thread, NULL, record_charge, &c), 0);
	await_blocked();
	assert_ok(db_commit(&tx, &e), &e);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	assert_ok(c.done, &c.e);
	ck_assert_int_eq(owed_us(&other), 2);
	ck_assert_int_eq(admin_int("SELECT count(*) FROM spending", NULL), 1);
}
END_TEST

START_TEST(nothing_of_whoever_is_in_debt_is_done_during_the_pause)
{
	struct person owner = make_owner("costly"), other = make_owner("other");
	bool due[1];
	uint64_t next_ms;
	struct err e;

	struct made_project costly = make_project(&owner, "shop", false);
	struct made_project cheap = make_project(&other, "shop", false);
	charge(&owner, DEBT_US, 20);
	charge(&other, DEBT_US - 1, 0);
	struct queue_rows rows = claim(10);
	ck_assert_uint_eq(rows.count, 1);
	ck_assert(!find_row(&rows, cheap.sandbox)->in_debt);
	queue_rows_clear(&rows);
	admin_run("DELETE FROM resources WHERE id = $1", cheap.sandbox);
	admin_run("DELETE FROM kubeconfig_checks WHERE user_id = $1", other.id);
	assert_ok(shard_find_due(reconcile, 1, false, due, &e), &e);
	ck_assert(!due[0]);
	assert_ok(queue_next_due(reconcile, &everybody, &next_ms, &e), &e);
	ck_assert_uint_gt(next_ms, 15000);
	ck_assert_uint_le(next_ms, 20000);
	end_pause();
	assert_ok(shard_find_due(reconcile, 1, false, due, &e), &e);
	ck_assert(due[0]);
	rows = claim(10);
	ck_assert_uint_eq(rows.count, 1);
	ck_assert(find_row(&rows, costly.sandbox)->in_debt);
	queue_rows_clear(&rows);
}
END_TEST

START_TEST(those_in_debt_are_late_from_the_end_of_the_pause_on)
{
	struct person owner = make_owner("costly");
	struct queue_backlog backlog;
	struct err e;

	make_project(&owner, "shop", false);
	charge(&owner, DEBT_US, 60);
	admin_run("UPDATE resources SET due_at = now() - interval '1 hour'", NULL);
	assert_ok(queue_backlog(api, 100, &backlog, &e), &e);
	ck_assert_uint_eq(backlog.due, 0);
	ck_assert_uint_eq(backlog.oldest_ms, 0);
	ck_assert_uint_eq(backlog.debtors, 1);
	admin_run("UPDATE spending_pause SET until = now() - interval '10 minutes'", NULL);
	assert_ok(queue_backlog(api, 100, &backlog, &e), &e);
	ck_assert_uint_eq(backlog.due, 1);
	ck_assert_uint_ge(backlog.oldest_ms, 600000);
	ck_assert_uint_lt(backlog.oldest_ms, 3600000);
	ck_assert_uint_eq(backlog.debtors, 0);
	pay(&owner, DEBT_US);
	assert_ok(queue_backlog(api, 100, &backlog, &e), &e);
	ck_assert_uint_eq(backlog.due, 1);
	ck_assert_uint_ge(backlog.oldest_ms, 3600000);
}
END_TEST

/* Returns how many rows a claim with these limits gets, and gives them back. */
static size_t count_claimed(unsigned slow_limit, unsigned debtor_limit)
{
	const struct queue_claim c = { .worker = "w",
				       .limit = 100,
				       .per_user = 100,
				       .slow_limit = slow_limit,
				       .debtor_limit = debtor_limit,
				       .lease_ms = 60000 };
	CLEANUP(queue_rows_clear) struct queue_rows rows = { 0 };
	struct err e;

	assert_ok(queue_claim(reconcile, &c, &rows, &e), &e);
	admin_run("UPDATE resources SET leased_until = NULL, leased_by = NULL, due_at = now()",
		  NULL);
	return rows.count;
}

START_TEST(those_in_debt_share_few_places)
{
	enum { PEOPLE = 4 };
	struct person other = make_owner("other");

	make_project(&other, "shop", false);
	for (int i = 0; i < PEOPLE; i++) {
		char name[16];
		(void)snprintf(name, sizeof(name), "costly%d", i);
		struct person costly = make_owner(name);
		make_project(&costly, "shop", false);
		charge(&costly, DEBT_US, 0);
	}
	ck_assert_uint_eq(count_claimed(100, 0), 1);
	ck_assert_uint_eq(count_claimed(100, 3), 4);
	/* Users with slow rows have other places. */
	admin_run("UPDATE resources SET took_ms = 3000", NULL);
	ck_assert_uint_eq(count_claimed(0, 2), 2);
	ck_assert_uint_eq(count_claimed(100, 2), 3);
	admin_run("UPDATE spending SET at = now() - interval '61 minutes'", NULL);
	ck_assert_uint_eq(count_claimed(100, 0), 5);
}
END_TEST

Suite *spending_suite(void)
{
	Suite *suite = suite_create("spending");
	TCase *tc = live_case("spending");

	tcase_add_test(tc, what_is_owed_is_paid_or_forgotten);
	tcase_add_test(tc, each_charge_makes_the_pause_of_all_longer_up_to_a_limit);
	tcase_add_test(tc, a_charge_that_waits_for_a_user_holds_neither_later_users_nor_the_pause);
	tcase_add_test(tc, a_user_who_goes_during_a_charge_costs_the_others_nothing);
	tcase_add_test(tc, nothing_of_whoever_is_in_debt_is_done_during_the_pause);
	tcase_add_test(tc, those_in_debt_are_late_from_the_end_of_the_pause_on);
	tcase_add_test(tc, those_in_debt_share_few_places);
	suite_add_tcase(suite, tc);
	return suite;
}
