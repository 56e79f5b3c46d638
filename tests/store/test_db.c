/* Tests the connection: PostgreSQL refuses it, is slow, or goes away. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "support.h"

static const struct db_statement pid = { "test_pid", "SELECT pg_backend_pid()" };
static const struct db_statement sleep_long = { "test_sleep", "SELECT pg_sleep(20)" };
static const struct db_statement add_row = { "test_add_row",
					     "INSERT INTO login_throttle (key, heals_at, next_at)"
					     " VALUES (sha256($1::text::bytea), now(), now())" };

#define SOME_ID "00000000-0000-4000-8000-000000000001"

static int insert(struct db *db, const char *id, struct err *e)
{
	return db_query(db, &add_row, DB_ARGS(DB_TEXT(id)), NULL, e);
}

static int64_t added(void)
{
	return admin_int("SELECT count(*) FROM login_throttle", NULL);
}

static double seconds_of(clockid_t clock)
{
	struct timespec now;

	(void)clock_gettime(clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double seconds(void)
{
	return seconds_of(CLOCK_MONOTONIC);
}

/* Returns this process's CPU time, which does not depend on the machine's load. */
static double processor_seconds(void)
{
	return seconds_of(CLOCK_PROCESS_CPUTIME_ID);
}

/* Ends the server's side of all of a role's connections, as a restart does. */
static void terminate(const char *role)
{
	(void)admin_int("SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity"
			" WHERE usename = $1",
			role);
}

START_TEST(a_transaction_is_committed_or_rolled_back)
{
	struct err e;

	{
		CLEANUP(db_rollback_guard) struct db *tx = NULL;
		assert_ok(db_begin(auth, &tx, &e), &e);
		assert_ok(insert(tx, SOME_ID, &e), &e);
	}
	ck_assert_int_eq(added(), 0);
	CLEANUP(db_rollback_guard) struct db *tx = NULL;
	assert_ok(db_begin(auth, &tx, &e), &e);
	assert_ok(insert(tx, SOME_ID, &e), &e);
	assert_ok(db_commit(&tx, &e), &e);
	ck_assert_ptr_null(tx);
	ck_assert_int_eq(added(), 1);
}
END_TEST

static int insert_inside(struct db *db, bool commit, struct err *e)
{
	CLEANUP(db_rollback_guard) struct db *tx = NULL;

	if (db_begin(db, &tx, e) < 0 || insert(tx, SOME_ID, e) < 0)
		return -1;
	return commit ? db_commit(&tx, e) : 0;
}

START_TEST(an_inner_transaction_joins_and_its_rollback_dooms_the_whole)
{
	CLEANUP(db_rollback_guard) struct db *tx = NULL;
	struct err e;

	assert_ok(db_begin(auth, &tx, &e), &e);
	assert_ok(insert_inside(auth, true, &e), &e);
	ck_assert_int_eq(added(), 0);
	assert_ok(db_commit(&tx, &e), &e);
	ck_assert_int_eq(added(), 1);
	admin_run("TRUNCATE login_throttle", NULL);

	assert_ok(db_begin(auth, &tx, &e), &e);
	assert_ok(insert_inside(auth, false, &e), &e);
	assert_fails(insert(tx, SOME_ID, &e), &e, ERR_INTERNAL, "INTERNAL");
	assert_fails(db_commit(&tx, &e), &e, ERR_INTERNAL, "INTERNAL");
	ck_assert_int_eq(added(), 0);
	assert_ok(insert(auth, SOME_ID, &e), &e);
	ck_assert_int_eq(added(), 1);
}
END_TEST

START_TEST(a_failed_statement_fails_its_transaction)
{
	CLEANUP(db_rollback_guard) struct db *tx = NULL;
	struct err e;

	assert_ok(db_begin(auth, &tx, &e), &e);
	assert_ok(insert(tx, SOME_ID, &e), &e);
	assert_fails(insert(tx, SOME_ID, &e), &e, ERR_CONFLICT, "login_throttle_pkey");
	assert_fails(db_commit(&tx, &e), &e, ERR_INTERNAL, "INTERNAL");
	ck_assert_int_eq(added(), 0);
	assert_ok(db_ping(auth, &e), &e);
}
END_TEST

START_TEST(errors_have_their_kind_and_never_a_value)
{
	static const struct db_statement statements[] = {
		{ "test_check", "INSERT INTO users (name) VALUES (repeat('secret', 20))" },
		{ "test_reference", "INSERT INTO identities (user_id, provider, provider_user_id)"
				    " VALUES ('" SOME_ID "', 'GITHUB', 'secret')" },
		{ "test_time", "SELECT $1::timestamptz" },
		{ "test_column", "SELECT secret FROM users" },
	};
	static const struct {
		enum err_kind kind;
		const char *code;
	} expected[] = {
		{ ERR_INVALID, "users_name_check" },
		{ ERR_INVALID, "identities_user_id_fkey" },
		{ ERR_INVALID, "INVALID" },
		{ ERR_INTERNAL, "INTERNAL" },
	};
	struct err e;

	for (size_t i = 0; i < ARRAY_SIZE(statements); i++) {
		bool takes_one = strchr(statements[i].sql, '$') != NULL;
		assert_fails(db_query(auth, &statements[i],
				      takes_one ? DB_ARGS(DB_TEXT("noon")) : NULL, NULL, &e),
			     &e, expected[i].kind, expected[i].code);
		ck_assert_ptr_null(strstr(e.message, "secretsecret"));
		ck_assert_ptr_nonnull(strstr(e.message, "PostgreSQL: "));
	}
}
END_TEST

START_TEST(parameters_arrive_as_they_are)
{
	static const struct db_statement echo = {
		"test_echo", "SELECT $1::text, $2::bigint, $3::boolean, $4::bytea, $5::text"
	};
	CLEANUP(db_result_free) PGresult *r = NULL;
	struct err e;
	size_t length = 0;

	assert_ok(db_query(api, &echo,
			   DB_ARGS(DB_TEXT("it's; \xc3\xa9 \\ $1"), DB_INT(INT64_MIN),
				   DB_BOOL(true), DB_BYTES("\0\xff\\'", 4), DB_TEXT(NULL)),
			   &r, &e),
		  &e);
	ck_assert_int_eq(db_rows(r), 1);
	ck_assert_str_eq(db_text(r, 0, 0), "it's; \xc3\xa9 \\ $1");
	ck_assert_int_eq(db_int(r, 0, 1), INT64_MIN);
	ck_assert(db_bool(r, 0, 2));
	CLEANUP(cleanup_free) uint8_t *bytes = db_bytes(r, 0, 3, &length);
	ck_assert_uint_eq(length, 4);
	ck_assert_mem_eq(bytes, "\0\xff\\'", 4);
	ck_assert_ptr_null(db_text(r, 0, 4));
	ck_assert_ptr_null(db_bytes(r, 0, 4, &length));
}
END_TEST

START_TEST(a_connection_that_ended_is_replaced_before_anything_is_sent)
{
	struct err e;

	assert_ok(db_query(api, &pid, NULL, NULL, &e), &e);
	terminate("fsa_api");
	/* pgbouncer may notice only with our next statement. */
	if (prepares() || db_query(api, &pid, NULL, NULL, &e) < 0)
		assert_ok(db_query(api, &pid, NULL, NULL, &e), &e);
}
END_TEST

START_TEST(a_transaction_whose_connection_ended_is_not_continued_on_another)
{
	CLEANUP(db_rollback_guard) struct db *tx = NULL;
	struct err e;

	assert_ok(db_begin(auth, &tx, &e), &e);
	assert_ok(insert(tx, SOME_ID, &e), &e);
	terminate("fsa_auth");
	for (int i = 0; i < 2; i++) {
		assert_fails(insert(tx, SOME_ID, &e), &e, ERR_UNAVAILABLE, "UNAVAILABLE");
		ck_assert_uint_gt(e.retry_after_s, 0);
	}
	assert_fails(db_commit(&tx, &e), &e, ERR_UNAVAILABLE, "UNAVAILABLE");
	ck_assert_int_eq(added(), 0);
	assert_ok(insert(auth, SOME_ID, &e), &e);
}
END_TEST

START_TEST(a_statement_that_takes_too_long_fails_in_time_and_ends_on_the_server)
{
	CLEANUP(db_freep) struct db *db = connect_as("fsa_api", 2000);
	struct err e;
	double start = seconds();

	assert_fails(db_query(db, &sleep_long, NULL, NULL, &e), &e, ERR_UNAVAILABLE, "UNAVAILABLE");
	ck_assert_double_ge(seconds() - start, 1.99);
	ck_assert_double_le(seconds() - start, 15); /* long before it would end by itself */
	assert_ok(db_query(db, &pid, NULL, NULL, &e), &e);
	while (admin_int("SELECT count(*) FROM pg_stat_activity WHERE query LIKE $1"
			 " AND state = 'active' AND pid <> pg_backend_pid()",
			 "SELECT pg_sleep%") > 0) {
		ck_assert_double_le(seconds() - start, 15);
		(void)usleep(50000);
	}
}
END_TEST

START_TEST(a_prepared_statement_that_was_lost_is_prepared_again)
{
	static const struct db_statement discard = { "test_discard", "DISCARD ALL" };
	struct err e;

	assert_ok(db_query(api, &pid, NULL, NULL, &e), &e);
	assert_ok(db_query(api, &discard, NULL, NULL, &e), &e);
	assert_ok(db_query(api, &pid, NULL, NULL, &e), &e);
}
END_TEST

START_TEST(a_statement_survives_a_migration_of_its_table)
{
	static const struct db_statement all = { "test_all", "SELECT * FROM users" };
	struct err e;

	assert_ok(db_query(api, &all, NULL, NULL, &e), &e);
	admin_run("ALTER TABLE users ADD COLUMN later integer", NULL);
	assert_ok(db_query(api, &all, NULL, NULL, &e), &e);
	admin_run("ALTER TABLE users DROP COLUMN later", NULL);
	assert_ok(db_query(api, &all, NULL, NULL, &e), &e);
}
END_TEST

START_TEST(a_server_that_is_away_is_not_hammered)
{
	CLEANUP(db_freep)
	struct db *db = db_new(&(struct db_options) { .conninfo = "host=/nonexistent dbname=x",
						      .role = "fsa_api",
						      .application_name = "test",
						      .timeout_ms = 500 });
	struct err e;
	double start = processor_seconds();

	for (int i = 0; i < 10000; i++)
		assert_fails(db_ping(db, &e), &e, ERR_UNAVAILABLE, "UNAVAILABLE");
	ck_assert_uint_gt(e.retry_after_s, 0);
	ck_assert_ptr_nonnull(strstr(e.message, "/nonexistent"));
	ck_assert_double_le(processor_seconds() - start, 1);
}
END_TEST

/* Makes a server that accepts connections and never responds, as if it hangs; its socket is in a
 * folder. */
static int listen_silently(char *directory)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_ptr_nonnull(mkdtemp(directory));
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/.s.PGSQL.5432", directory);
	ck_assert_int_eq(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(listen(fd, 16), 0);
	return fd;
}

START_TEST(of_several_hosts_one_that_hangs_is_passed_by)
{
	char directory[] = "/tmp/fsa-XXXXXX", path[64], conninfo[512];
	CLEANUP(cleanup_close) int silent = listen_silently(directory);
	CLEANUP(db_freep) struct db *db = NULL;
	const char *real = getenv("FSA_TEST_DATABASE");
	struct err e;

	ck_assert(real != NULL && strncmp(real, "host=", 5) == 0);
	ck_assert_int_ge(silent, 0);
	(void)snprintf(conninfo, sizeof(conninfo), "host=/nonexistent,%s,%s", directory, real + 5);
	db = db_new(&(struct db_options) { .conninfo = conninfo,
					   .role = "fsa_api",
					   .application_name = "test",
					   .timeout_ms = 9000 });
	double start = seconds();
	assert_ok(db_ping(db, &e), &e);
	ck_assert_double_ge(seconds() - start, 2.9);
	ck_assert_double_le(seconds() - start, 8);

	/* From now on, the working host is tried first. */
	terminate("fsa_api");
	start = seconds();
	assert_ok(db_ping(db, &e), &e);
	ck_assert_double_le(seconds() - start, 2.5);
	(void)snprintf(path, sizeof(path), "%s/.s.PGSQL.5432", directory);
	(void)unlink(path);
	(void)rmdir(directory);
}
END_TEST

Suite *db_suite(void)
{
	Suite *suite = suite_create("db");
	TCase *c = live_case("connection");

	tcase_add_test(c, a_transaction_is_committed_or_rolled_back);
	tcase_add_test(c, an_inner_transaction_joins_and_its_rollback_dooms_the_whole);
	tcase_add_test(c, a_failed_statement_fails_its_transaction);
	tcase_add_test(c, errors_have_their_kind_and_never_a_value);
	tcase_add_test(c, parameters_arrive_as_they_are);
	tcase_add_test(c, a_connection_that_ended_is_replaced_before_anything_is_sent);
	tcase_add_test(c, a_transaction_whose_connection_ended_is_not_continued_on_another);
	tcase_add_test(c, a_statement_that_takes_too_long_fails_in_time_and_ends_on_the_server);
	tcase_add_test(c, a_prepared_statement_that_was_lost_is_prepared_again);
	tcase_add_test(c, a_statement_survives_a_migration_of_its_table);
	tcase_add_test(c, a_server_that_is_away_is_not_hammered);
	tcase_add_test(c, of_several_hosts_one_that_hangs_is_passed_by);
	suite_add_tcase(suite, c);
	return suite;
}
