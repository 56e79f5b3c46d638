/* Tests shards, and what becomes of the rows of a lost process. */
#include <stdio.h>
#include <string.h>

#include "store/shard.h"
#include "support.h"

enum { SHARDS = 3, PEOPLE = 12 };

static unsigned shard_of(const struct person *person)
{
	char sql[128];

	(void)snprintf(sql, sizeof(sql), "SELECT (uuid_hash($1::uuid) & 2147483647) %% %d", SHARDS);
	return (unsigned)admin_int(sql, person->id);
}

static struct queue_rows claim_shard(unsigned index, const char *worker)
{
	const struct queue_claim c = {
		.worker = worker,
		.shard = { .index = index, .count = SHARDS },
		.limit = 100,
		.per_user = 100,
		.slow_limit = 100,
		.lease_ms = 60000,
	};
	struct queue_rows rows;
	struct err e;

	assert_ok(queue_claim(reconcile, &c, &rows, &e), &e);
	return rows;
}

/* Storing a kubeconfig requests a check of it, which is work for a shard, too. */
static void nothing_to_check(void)
{
	admin_run("UPDATE kubeconfig_checks SET due_at = NULL", NULL);
}

START_TEST(each_shard_has_its_users_and_all_have_everybody)
{
	struct person people[PEOPLE];
	bool due[SHARDS];
	size_t claimed = 0;
	struct err e;

	for (int i = 0; i < PEOPLE; i++) {
		char name[16];
		(void)snprintf(name, sizeof(name), "person%d", i);
		people[i] = make_owner(name);
		make_project(&people[i], "shop", false);
	}
	nothing_to_check();
	assert_ok(shard_find_due(reconcile, SHARDS, false, due, &e), &e);
	for (unsigned shard = 0; shard < SHARDS; shard++) {
		struct queue_rows rows = claim_shard(shard, "w");
		ck_assert(due[shard] == (rows.count > 0));
		claimed += rows.count;
		for (size_t i = 0; i < rows.count; i++) {
			for (int person = 0; person < PEOPLE; person++) {
				if (strcmp(people[person].id, rows.items[i].user_id) == 0)
					ck_assert_uint_eq(shard_of(&people[person]), shard);
			}
		}
		queue_rows_clear(&rows);
	}
	ck_assert_uint_eq(claimed, PEOPLE);
	assert_ok(shard_find_due(reconcile, SHARDS, false, due, &e), &e);
	for (unsigned shard = 0; shard < SHARDS; shard++)
		ck_assert(!due[shard]);
}
END_TEST

START_TEST(unhealthy_rows_start_no_process_at_the_end_of_a_pass)
{
	struct person owner = make_owner("ill");
	struct made_project made = make_project(&owner, "shop", false);
	bool due[SHARDS];
	struct err e;

	admin_run("UPDATE resources SET cause_kind = 'KUBE_TIMEOUT', cause_since = now() WHERE id "
		  "= $1",
		  made.sandbox);
	assert_ok(shard_find_due(reconcile, SHARDS, true, due, &e), &e);
	ck_assert(!due[shard_of(&owner)]);
	nothing_to_check();
	assert_ok(shard_find_due(reconcile, SHARDS, false, due, &e), &e);
	ck_assert(due[shard_of(&owner)]);
}
END_TEST

START_TEST(the_leases_of_a_lost_process_are_known)
{
	struct person owner = make_owner("alice");
	struct made_project made = make_project(&owner, "shop", false);
	struct queue_rows rows = claim_shard(shard_of(&owner), "host/1");
	struct shard_leases leases;
	struct err e;

	ck_assert_uint_eq(rows.count, 1);
	assert_ok(shard_find_leases(reconcile, "host/2", &leases, &e), &e);
	ck_assert_uint_eq(leases.count, 0);
	shard_leases_clear(&leases);
	assert_ok(shard_find_leases(reconcile, "host/1", &leases, &e), &e);
	ck_assert_uint_eq(leases.count, 1);
	ck_assert_str_eq(leases.items[0].id, made.sandbox);
	ck_assert_str_eq(leases.items[0].user_id, owner.id);
	ck_assert_int_eq(leases.items[0].lease_epoch, rows.items[0].lease_epoch);
	ck_assert_int_eq(leases.items[0].generation, rows.items[0].generation);
	ck_assert(leases.items[0].status == STATUS_CREATING);
	shard_leases_clear(&leases);
	queue_rows_clear(&rows);
}
END_TEST

static void due_now(const struct person *owner)
{
	admin_run("UPDATE resources SET due_at = now() WHERE user_id = $1", owner->id);
}

START_TEST(a_charged_user_is_left_alone_whatever_they_change)
{
	struct person owner = make_owner("hostile");
	const struct queue_shard own = { .index = shard_of(&owner), .count = SHARDS };
	bool due[SHARDS];
	uint64_t ms, next_ms;
	struct err e;

	make_project(&owner, "shop", false);
	assert_ok(shard_charge(reconcile, owner.id, &ms, &e), &e);
	ck_assert_uint_gt(ms, 14000);
	ck_assert_uint_le(ms, 15000);
	due_now(&owner); /* and a check of the kubeconfig is due, too */
	assert_ok(shard_find_due(reconcile, SHARDS, false, due, &e), &e);
	ck_assert(!due[own.index]);
	struct queue_rows rows = claim_shard(own.index, "w");
	ck_assert_uint_eq(rows.count, 0);
	queue_rows_clear(&rows);
	assert_ok(queue_next_due(reconcile, &own, &next_ms, &e), &e);
	ck_assert_uint_gt(next_ms, 10000);
	ck_assert_uint_le(next_ms, 15000);
	struct person other = make_owner("other");
	make_project(&other, "shop", false);
	rows = claim_shard(shard_of(&other), "w");
	ck_assert_uint_eq(rows.count, 1);
	queue_rows_clear(&rows);
	admin_run("UPDATE stalls SET until = now() WHERE user_id = $1", owner.id);
	rows = claim_shard(own.index, "w");
	ck_assert_uint_eq(rows.count, 1);
	queue_rows_clear(&rows);
}
END_TEST

START_TEST(a_charge_doubles_to_a_quarter_of_an_hour_and_is_forgotten_after_a_day)
{
	struct person owner = make_owner("hostile");
	uint64_t ms;
	struct err e;

	for (uint64_t want = 15000; want < 4000000; want *= 2) {
		uint64_t most = want < 900000 ? want : 900000;
		assert_ok(shard_charge(reconcile, owner.id, &ms, &e), &e);
		ck_assert_uint_gt(ms, most - 1000);
		ck_assert_uint_le(ms, most);
	}
	admin_run("UPDATE stalls SET at = now() - interval '25 hours' WHERE user_id = $1",
		  owner.id);
	assert_ok(shard_charge(reconcile, owner.id, &ms, &e), &e);
	ck_assert_uint_le(ms, 15000);
	assert_fails(shard_charge(reconcile, "00000000-0000-4000-8000-000000000000", &ms, &e), &e,
		     ERR_NOT_FOUND, "NOT_FOUND");
}
END_TEST

static uint64_t due_in_ms(const struct made_project *made)
{
	return (uint64_t)admin_int("SELECT greatest(0, extract(epoch FROM due_at - now()) * 1000)"
				   "::bigint FROM resources WHERE id = $1",
				   made->sandbox);
}

/* Records a failed observation, after which the next is due in a minute. */
static void look_fails(const struct person *owner, const struct made_project *made,
		       void (*meanwhile)(const struct person *))
{
	struct queue_rows rows = claim_shard(shard_of(owner), "w");
	const struct queue_row *row = find_row(&rows, made->sandbox);
	struct err e;

	struct queue_result result = result_of(row, STATUS_CREATING);
	result.has_cause = true;
	result.cause_kind = "KUBE_TIMEOUT";
	result.cause_code = "KUBE_TIMEOUT";
	result.cause_message = "no answer";
	result.attempts = row->attempts + 1;
	result.due_in_ms = 60000;
	if (meanwhile != NULL)
		meanwhile(owner);
	assert_ok(queue_record(reconcile, &result, 1, NULL, &e), &e);
	queue_rows_clear(&rows);
}

static void change_kubeconfig(const struct person *owner)
{
	put_kubeconfig(owner, "ns-hasty");
}

static void ask_again(const struct person *owner)
{
	static const struct db_statement anew = {
		"test_ask_again", "UPDATE resources SET generation = generation + 1,"
				  " attempts = 0, due_at = now() WHERE user_id = $1"
	};
	struct err e;

	assert_ok(db_query(api, &anew, DB_ARGS(DB_TEXT(owner->id)), NULL, &e), &e);
}

START_TEST(a_backoff_is_cancelled_by_a_change_and_not_again_in_a_moment)
{
	static void (*const changes[])(const struct person *) = { change_kubeconfig, ask_again };

	for (size_t i = 0; i < 2; i++) {
		struct person owner = make_owner(i == 0 ? "hasty" : "hastier");
		struct made_project made = make_project(&owner, "shop", false);
		look_fails(&owner, &made, NULL);
		ck_assert_uint_gt(due_in_ms(&made), 50000);
		changes[i](&owner);
		ck_assert_uint_eq(due_in_ms(&made), 0);
		look_fails(&owner, &made, NULL);
		changes[i](&owner);
		ck_assert_uint_gt(due_in_ms(&made), 50000);
		/* Nor by a change while a pass holds the row. */
		admin_run("UPDATE resources SET due_at = now() WHERE id = $1", made.sandbox);
		look_fails(&owner, &made, changes[i]);
		ck_assert_uint_gt(due_in_ms(&made), 50000);
		admin_run("UPDATE resources SET hurried_at = now() - interval '16 s' WHERE id = $1",
			  made.sandbox);
		changes[i](&owner);
		ck_assert_uint_eq(due_in_ms(&made), 0);
	}
}
END_TEST

Suite *shards_suite(void)
{
	Suite *suite = suite_create("shards");
	TCase *tc = live_case("shards");

	tcase_add_test(tc, each_shard_has_its_users_and_all_have_everybody);
	tcase_add_test(tc, unhealthy_rows_start_no_process_at_the_end_of_a_pass);
	tcase_add_test(tc, the_leases_of_a_lost_process_are_known);
	tcase_add_test(tc, a_charged_user_is_left_alone_whatever_they_change);
	tcase_add_test(tc, a_charge_doubles_to_a_quarter_of_an_hour_and_is_forgotten_after_a_day);
	tcase_add_test(tc, a_backoff_is_cancelled_by_a_change_and_not_again_in_a_moment);
	suite_add_tcase(suite, tc);
	return suite;
}
