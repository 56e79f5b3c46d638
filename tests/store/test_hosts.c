/* Tests the hosts that run passes, which rows each leaves to others, and the check that the
 * database is writable. */
#include <stdlib.h>
#include <string.h>

#include "store/pass_host.h"
#include "store/writable.h"
#include "support.h"

/* Key id of a kubeconfig stored by put_kubeconfig(). */
#define THEIRS "6564006b75626563"

/* Announces a host with one key in each ring; returns the keys that only other hosts have. The
 * caller frees. */
static char *announce(const char *name, const char *cluster_key, const char *owner_key)
{
	json_t *keys = json_pack("{s:[s], s:[s]}", "cluster", cluster_key, "owner", owner_key);
	const struct pass_host host = { .host = name, .version = "1.2", .keys = keys };
	char *foreign = NULL;
	struct err e;

	assert_ok(pass_host_announce(reconcile, &host, &foreign, &e), &e);
	json_decref(keys);
	return foreign;
}

static void forget(char *foreign)
{
	free(foreign);
}

static size_t claim_without(const char *foreign_keys)
{
	CLEANUP(queue_rows_clear) struct queue_rows rows = { 0 };
	const struct queue_claim c = { .worker = "test",
				       .limit = 10,
				       .per_user = 10,
				       .lease_ms = 60000,
				       .foreign_keys = foreign_keys };
	struct err e;

	assert_ok(queue_claim(reconcile, &c, &rows, &e), &e);
	return rows.count;
}

START_TEST(a_host_learns_of_keys_that_only_others_have)
{
	CLEANUP(cleanup_free) char *alone = announce("a", "c1", "o1");
	CLEANUP(cleanup_free) char *same = announce("b", "c1", "o1");
	CLEANUP(cleanup_free) char *other = announce("c", "c2", "o1");
	CLEANUP(cleanup_free) char *first = announce("a", "c1", "o1");

	ck_assert_ptr_null(alone);
	ck_assert_ptr_null(same);
	ck_assert_str_eq(other, "[\"c1\"]");
	ck_assert_str_eq(first, "[\"c2\"]");
	/* A host that has stopped is no longer considered, and is removed after a week. */
	admin_run("UPDATE pass_hosts SET last_pass_at = now() - interval '61 seconds'"
		  " WHERE host = 'c'",
		  NULL);
	CLEANUP(cleanup_free) char *later = announce("a", "c1", "o1");
	ck_assert_ptr_null(later);
	ck_assert_int_eq(admin_int("SELECT count(*) FROM pass_hosts", NULL), 3);
	admin_run("UPDATE pass_hosts SET last_pass_at = now() - interval '8 days'"
		  " WHERE host = 'c'",
		  NULL);
	forget(announce("a", "c1", "o1"));
	ck_assert_int_eq(admin_int("SELECT count(*) FROM pass_hosts", NULL), 2);
}
END_TEST

START_TEST(a_host_has_its_last_pass_and_its_keys)
{
	forget(announce("a", "c1", "o1"));
	admin_run("UPDATE pass_hosts SET last_pass_at = now() - interval '1 second'", NULL);
	const char *written = "SELECT xmin::text || keys::text FROM pass_hosts";
	char before[128];
	(void)snprintf(before, sizeof(before), "%s", admin_text(written, NULL));
	forget(announce("a", "c1", "o1"));
	ck_assert_str_eq(admin_text(written, NULL), before); /* it was announced a moment ago */
	forget(announce("a", "c2", "o1"));
	ck_assert_str_ne(admin_text(written, NULL), before);
	admin_run("UPDATE pass_hosts SET last_pass_at = now() - interval '3 seconds'", NULL);
	forget(announce("a", "c2", "o1"));
	ck_assert_int_eq(admin_int("SELECT count(*) FROM pass_hosts"
				   " WHERE last_pass_at > now() - interval '3 seconds'",
				   NULL),
			 1);
}
END_TEST

START_TEST(idle_is_since_the_last_pass_or_since_there_is_a_schema)
{
	uint64_t idle_ms;
	struct err e;

	admin_run("UPDATE schema_migrations SET applied_at = applied_at - interval '1 hour'", NULL);
	assert_ok(pass_host_idle(api, &idle_ms, &e), &e);
	ck_assert_uint_ge(idle_ms, 3600000);
	forget(announce("a", "c1", "o1"));
	assert_ok(pass_host_idle(api, &idle_ms, &e), &e);
	ck_assert_uint_lt(idle_ms, 60000);
	admin_run("UPDATE schema_migrations SET applied_at = applied_at + interval '1 hour'", NULL);
}
END_TEST

START_TEST(rows_that_only_others_can_open_are_left_to_them)
{
	struct person owner = make_owner("alice");

	(void)make_project(&owner, "shop", true);
	ck_assert_uint_eq(claim_without("[\"" THEIRS "\"]"), 0);
	ck_assert_uint_eq(claim_without("[\"0000000000000000\"]"), 2);
}
END_TEST

START_TEST(a_writable_database_is_recognized_and_unchanged)
{
	struct err e;

	assert_ok(writable_check(admin, WRITABLE_BY_OWNER, &e), &e);
	assert_ok(writable_check(api, WRITABLE_BY_API, &e), &e);
	assert_ok(writable_check(api, WRITABLE_BY_API, &e), &e);
	assert_ok(writable_check_rights(auth, WRITABLE_BY_AUTH, &e), &e);
	ck_assert_int_eq(admin_int("SELECT count(*) FROM audit", NULL), 0);
	ck_assert_int_eq(
		admin_int("SELECT count(*) FROM pg_class WHERE relname = 'fsa_write_probe'", NULL),
		0);
}
END_TEST

START_TEST(a_missing_right_to_write_is_found)
{
	struct err e;

	admin_run("REVOKE UPDATE (due_at) ON resources FROM fsa_api", NULL);
	int done = writable_check(api, WRITABLE_BY_API, &e);
	admin_run("GRANT UPDATE (due_at) ON resources TO fsa_api", NULL);
	assert_fails(done, &e, ERR_INTERNAL, "INTERNAL");
	ck_assert_ptr_nonnull(strstr(e.message, "42501"));
}
END_TEST

Suite *hosts_suite(void)
{
	Suite *suite = suite_create("hosts");
	TCase *c = live_case("hosts");

	tcase_add_test(c, a_host_learns_of_keys_that_only_others_have);
	tcase_add_test(c, a_host_has_its_last_pass_and_its_keys);
	tcase_add_test(c, idle_is_since_the_last_pass_or_since_there_is_a_schema);
	tcase_add_test(c, rows_that_only_others_can_open_are_left_to_them);
	tcase_add_test(c, a_writable_database_is_recognized_and_unchanged);
	tcase_add_test(c, a_missing_right_to_write_is_found);
	suite_add_tcase(suite, c);
	return suite;
}
