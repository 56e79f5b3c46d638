/* Tests the changes that are stored for fsa-events, and who notifies of them. */
#include <string.h>

#include "base/clock.h"
#include "store/live.h"
#include "support.h"

static void leave_change(struct db *db, const struct person *person)
{
	static const struct db_statement statement = {
		"leave", "INSERT INTO live_changes (user_id) VALUES ($1)"
	};
	struct err e;

	assert_ok(db_query(db, &statement, DB_ARGS(DB_TEXT(person->id)), NULL, &e), &e);
}

static struct live_announced announce(void)
{
	struct live_announced announced;
	struct err e;

	assert_ok(live_announce(fsa_events, &announced, &e), &e);
	return announced;
}

static struct db *listen_anew(void)
{
	struct db *listener = connect_as("fsa_events", 10000);
	struct err e;

	assert_ok(live_listen(listener, &e), &e);
	return listener;
}

/* Returns a notification; NULL if none has come, although a later one of our own has. The caller
 * frees. */
static char *next_notification(struct db *listener)
{
	CLEANUP(cleanup_free) char *payload = NULL;
	struct err e;

	admin_run("SELECT pg_notify('fsa_live', 'the last')", NULL);
	while (payload == NULL)
		assert_ok(db_next_notification(listener, &payload, &e), &e);
	return strcmp(payload, "the last") == 0 ? NULL : STEAL(payload);
}

START_TEST(changes_notify_only_while_nobody_polls)
{
	CLEANUP(cleanup_free) char *payload = NULL;
	CLEANUP(db_freep) struct db *listener = NULL;
	struct person person;
	int64_t horizon;
	struct err e;

	if (!prepares()) /* pgbouncer's connections cannot listen */
		return;
	person = make_person("ann");
	listener = listen_anew();
	assert_ok(live_watch(fsa_events, &e), &e);
	leave_change(api, &person);
	ck_assert_ptr_null(next_notification(listener));

	assert_ok(live_rest(fsa_events, &horizon, &e), &e);
	leave_change(api, &person);
	payload = next_notification(listener);
	ck_assert_ptr_nonnull(payload);
	ck_assert_str_eq(payload, "");
	ck_assert_int_eq(announce().count, 1); /* both are of one user */
}
END_TEST

/* This transaction may have seen that fsa-events polls, and ends when it no longer does. */
START_TEST(rest_begins_when_older_transactions_have_ended)
{
	struct person person = make_person("ann");
	struct db *tx;
	int64_t horizon;
	struct err e;

	assert_ok(live_watch(fsa_events, &e), &e);
	assert_ok(db_begin(api, &tx, &e), &e);
	leave_change(tx, &person);
	assert_ok(live_rest(fsa_events, &horizon, &e), &e);
	struct live_announced during = announce();
	ck_assert_int_eq(during.count, 0);
	ck_assert_int_lt(during.horizon, horizon);
	assert_ok(db_commit(&tx, &e), &e);
	struct live_announced after = announce();
	ck_assert_int_eq(after.count, 1);
	ck_assert_int_ge(after.horizon, horizon);
}
END_TEST

Suite *live_suite(void)
{
	Suite *suite = suite_create("live");
	TCase *c = live_case("live");

	tcase_add_test(c, changes_notify_only_while_nobody_polls);
	tcase_add_test(c, rest_begins_when_older_transactions_have_ended);
	suite_add_tcase(suite, c);
	return suite;
}
