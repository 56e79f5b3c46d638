/* Tests users, sessions, settings, idempotency keys, the audit. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/access.h"
#include "store/audit.h"
#include "store/idempotency.h"
#include "store/session.h"
#include "support.h"

#define DAY_MS UINT64_C(86400000)

static const uint8_t token[TOKEN_HASH_BYTES] = { 1, 2, 3 };

/* ---- users ----------------------------------------------------------------------------------- */

START_TEST(a_user_is_found_by_name_without_case)
{
	struct person person = make_person("Alice");
	struct person other;
	struct password_identity found;
	struct err e;

	assert_ok(user_find_password(auth, "aLICE", &found, &e), &e);
	ck_assert(found.found && !found.disabled);
	ck_assert_str_eq(found.user_id, person.id);
	ck_assert_str_eq(found.identity_id, person.identity_id);
	ck_assert_str_eq(found.hash, "$argon2id$hash");
	assert_fails(user_register(auth, "ALICE", "h", other.id, other.identity_id, &e), &e,
		     ERR_CONFLICT, "USER_EXISTS");
	ck_assert_int_eq(admin_int("SELECT count(*) FROM users", NULL), 1);
	assert_ok(user_find_password(auth, "bob", &found, &e), &e);
	ck_assert(!found.found);
}
END_TEST

START_TEST(a_password_hash_is_replaced)
{
	struct person person = make_person("alice");
	struct password_identity found;
	bool replaced = true;
	struct err e;

	assert_ok(user_replace_password_hash(auth, person.identity_id, "$argon2id$hash", "$new",
					     NULL, &e),
		  &e);
	assert_ok(user_find_password(auth, "alice", &found, &e), &e);
	ck_assert_str_eq(found.hash, "$new");
	assert_ok(user_replace_password_hash(auth, person.identity_id, "$argon2id$hash", "$late",
					     &replaced, &e),
		  &e);
	ck_assert(!replaced);
	assert_ok(user_get_password(auth, person.id, &found, &e), &e);
	ck_assert_str_eq(found.name, "alice");
	assert_ok(user_find_password(auth, "alice", &found, &e), &e);
	ck_assert_str_eq(found.hash, "$new");
	admin_run("UPDATE users SET disabled_at = now()", NULL);
	assert_ok(user_find_password(auth, "alice", &found, &e), &e);
	ck_assert(found.disabled);
}
END_TEST

/* ---- sessions -------------------------------------------------------------------------------- */

static void make_session(const struct person *person, uint64_t lifetime_ms)
{
	char agent[1001];
	struct err e;

	memset(agent, 'a', sizeof(agent) - 1);
	agent[sizeof(agent) - 1] = '\0';
	const struct session_new s = { .user_id = person->id,
				       .identity_id = person->identity_id,
				       .token_hash = token,
				       .lifetime_ms = lifetime_ms,
				       .address = "192.0.2.1",
				       .user_agent = agent };
	assert_ok(session_create(auth, &s, &e), &e);
}

START_TEST(a_session_is_found_by_both_programs_until_it_is_deleted)
{
	struct person person = make_person("alice");
	struct db *programs[] = { api, auth };
	struct session found;
	struct err e;

	make_session(&person, 7 * DAY_MS);
	for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
		assert_ok(session_find(programs[i], token, DAY_MS, &found, &e), &e);
		ck_assert_str_eq(found.user_id, person.id);
		ck_assert_str_eq(found.identity_id, person.identity_id);
		ck_assert_str_eq(found.user_name, "alice");
		ck_assert_str_eq(found.expires_at,
				 admin_text("SELECT iso8601(last_seen_at + interval '1 day')"
					    " FROM sessions",
					    NULL));
	}
	assert_ok(session_delete(auth, token, &e), &e);
	assert_ok(session_delete(auth, token, &e), &e);
	assert_fails(session_find(api, token, DAY_MS, &found, &e), &e, ERR_UNAUTHENTICATED,
		     "UNAUTHENTICATED");
}
END_TEST

START_TEST(a_session_ends_by_age_by_idleness_and_with_its_user)
{
	static const char *const ends[] = {
		"UPDATE sessions SET expires_at = now()",
		"UPDATE sessions SET last_seen_at = now() - interval '25 hours'",
		"UPDATE users SET disabled_at = now()",
		"DELETE FROM identities",
	};
	struct session found;
	struct err e;

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		admin_run("TRUNCATE users CASCADE", NULL);
		struct person person = make_person("alice");
		make_session(&person, 7 * DAY_MS);
		assert_ok(session_find(api, token, DAY_MS, &found, &e), &e);
		admin_run(ends[i], NULL);
		assert_fails(session_find(api, token, DAY_MS, &found, &e), &e, ERR_UNAUTHENTICATED,
			     "UNAUTHENTICATED");
	}
}
END_TEST

START_TEST(the_use_of_a_session_is_noted_once_a_minute)
{
	const char *age = "SELECT extract(epoch FROM now() - last_seen_at)::int FROM sessions";
	struct person person = make_person("alice");
	struct session found;
	struct err e;

	make_session(&person, 7 * DAY_MS);
	admin_run("UPDATE sessions SET last_seen_at = now() - interval '50 seconds'", NULL);
	assert_ok(session_find(api, token, DAY_MS, &found, &e), &e);
	ck_assert_int_ge(admin_int(age, NULL), 50);
	admin_run("UPDATE sessions SET last_seen_at = now() - interval '70 seconds'", NULL);
	assert_ok(session_find(api, token, DAY_MS, &found, &e), &e);
	ck_assert_int_le(admin_int(age, NULL), 5);
}
END_TEST

START_TEST(a_session_is_ended_by_its_owner_alone)
{
	struct person person = make_person("alice");
	struct person other = make_person("bob");
	json_t *list = NULL;
	struct err e;
	struct access_ended ended;

	make_session(&person, 7 * DAY_MS);
	CLEANUP(cleanup_free)
	char *id = strdup(admin_text("SELECT id FROM sessions", NULL));
	assert_fails(session_end(auth, other.id, id, &e), &e, ERR_NOT_FOUND, "SESSION_NOT_FOUND");
	assert_ok(access_end_all(auth, other.id, NULL, &ended, &e), &e);
	ck_assert_int_eq(ended.sessions, 0);
	assert_ok(access_end_all(auth, person.id, token, &ended, &e), &e);
	ck_assert_int_eq(ended.sessions, 0);
	assert_ok(session_list(auth, person.id, token, DAY_MS, &list, &e), &e);
	ck_assert_uint_eq(json_array_size(list), 1);
	ck_assert(json_is_true(json_object_get(json_array_get(list, 0), "current")));
	json_decref(list);
	assert_ok(session_end(auth, person.id, id, &e), &e);
	assert_fails(session_end(auth, person.id, id, &e), &e, ERR_NOT_FOUND, "SESSION_NOT_FOUND");
}
END_TEST

/* ---- settings -------------------------------------------------------------------------------- */

START_TEST(settings_are_put_replaced_and_removed)
{
	struct person person = make_person("alice");
	struct person other = make_person("bob");
	CLEANUP(setting_rows_clear) struct setting_rows rows = { 0 };
	struct err e;

	assert_ok(setting_put(api, person.id, "B", "1", 1, &e), &e);
	assert_ok(setting_put(api, person.id, "A", "2", 1, &e), &e);
	assert_ok(setting_put(api, person.id, "B", "\0003", 2, &e), &e);
	assert_ok(setting_put(api, person.id, "C", "4", 1, &e), &e);
	assert_ok(setting_delete(api, person.id, "C", &e), &e);
	assert_ok(setting_list(api, person.id, &rows, &e), &e);
	ck_assert_uint_eq(rows.count, 2);
	ck_assert_str_eq(rows.items[0].key, "A");
	ck_assert_uint_eq(rows.items[1].value_sealed_length, 2);
	ck_assert_mem_eq(rows.items[1].value_sealed, "\0003", 2);
	setting_rows_clear(&rows);
	assert_ok(setting_list(api, other.id, &rows, &e), &e);
	ck_assert_uint_eq(rows.count, 0);
	for (int i = 0; i < 98; i++) {
		char key[16];
		(void)snprintf(key, sizeof(key), "K%d", i);
		assert_ok(setting_put(api, person.id, key, "1", 1, &e), &e);
	}
	assert_fails(setting_put(api, person.id, "ONE_MORE", "1", 1, &e), &e, ERR_UNPROCESSABLE,
		     "TOO_MANY_SETTINGS");
	assert_ok(setting_put(api, person.id, "K7", "2", 1, &e), &e);
	assert_fails(setting_put(api, other.id, "no key", "1", 1, &e), &e, ERR_INVALID,
		     "user_config_key_check");
}
END_TEST

START_TEST(a_kubeconfigs_info_can_be_read)
{
	struct person person = make_person("alice");
	CLEANUP(cluster_rows_clear) struct cluster_rows rows = { 0 };
	struct cluster_new k = { .id = person.id,
				 .user_id = person.id,
				 .name = CLUSTER_DEFAULT,
				 .server = "https://one.example",
				 .namespace = "ns-one",
				 .account = "me",
				 .expires_at = 1000000000 };
	struct err e;

	assert_fails(cluster_get(api, person.id, person.id, &rows, &e), &e, ERR_NOT_FOUND,
		     "KUBECONFIG_MISSING");
	assert_ok(cluster_put(api, &k, "kubeconfig", seal_for_test, NULL, &e), &e);
	assert_ok(cluster_get(api, person.id, person.id, &rows, &e), &e);
	ck_assert_str_eq(rows.items[0].server, "https://one.example");
	ck_assert_str_eq(rows.items[0].namespace, "ns-one");
	ck_assert_str_eq(rows.items[0].account, "me");
	ck_assert_str_eq(rows.items[0].expires_at, "2001-09-09T01:46:40.000Z");
	ck_assert(rows.items[0].expired);
	cluster_rows_clear(&rows);
	k.expires_at = 0;
	k.namespace = "ns-two";
	assert_ok(cluster_put(api, &k, "kubeconfig", seal_for_test, NULL, &e), &e);
	assert_ok(cluster_get(api, person.id, person.id, &rows, &e), &e);
	ck_assert_str_eq(rows.items[0].namespace, "ns-two");
	ck_assert_ptr_null(rows.items[0].expires_at);
	ck_assert(!rows.items[0].expired);
	ck_assert_int_eq(admin_int("SELECT version FROM kubeconfigs", NULL), 2);
}
END_TEST

/* ---- idempotency ----------------------------------------------------------------------------- */

static const uint8_t one_request[32] = { 1 }, other_request[32] = { 2 };

static int finish(struct db *tx, const struct person *person, int status, const char *answer,
		  struct err *e)
{
	CLEANUP(buf_release) struct buf sealed = BUF_INIT(100);

	ck_assert_int_eq(buf_append(&sealed, answer, strlen(answer), e), 0);
	return idempotency_finish(tx, person->id, "key", status, &sealed, e);
}

static int begin(struct db *tx, const struct person *person, const uint8_t *fingerprint,
		 struct idempotent_answer *ret_answer, struct err *e)
{
	return idempotency_begin(tx, person->id, "key", fingerprint, DAY_MS, ret_answer, e);
}

static void serve(struct db *db, const struct person *person, bool commit)
{
	CLEANUP(db_rollback_guard) struct db *tx = NULL;
	struct idempotent_answer answer;
	struct err e;

	assert_ok(db_begin(db, &tx, &e), &e);
	assert_ok(begin(tx, person, one_request, &answer, &e), &e);
	ck_assert(!answer.replayed);
	assert_ok(finish(tx, person, 201, "{\"id\":1}", &e), &e);
	if (commit)
		assert_ok(db_commit(&tx, &e), &e);
}

START_TEST(an_answer_is_replayed_to_the_same_request_only)
{
	struct person person = make_person("alice");
	struct person other = make_person("bob");
	struct idempotent_answer answer;
	struct err e;

	serve(api, &person, false);
	serve(api, &person, true);
	assert_ok(begin(api, &person, one_request, &answer, &e), &e);
	ck_assert(answer.replayed);
	ck_assert_int_eq(answer.http_status, 201);
	ck_assert_str_eq(answer.sealed.data, "{\"id\":1}");
	buf_release(&answer.sealed);
	assert_fails(begin(api, &person, other_request, &answer, &e), &e, ERR_UNPROCESSABLE,
		     "IDEMPOTENCY_KEY_REUSED");
	/* A response stored by a version that did not seal. */
	admin_run("UPDATE idempotency SET body_sealed = NULL, body = 'plain'", NULL);
	assert_fails(begin(api, &person, one_request, &answer, &e), &e, ERR_CONFLICT,
		     "IDEMPOTENCY_ANSWER_LOST");
	serve(api, &other, true);
	admin_run("UPDATE idempotency SET created_at = now() - interval '25 hours'", NULL);
	serve(api, &person, true);
}
END_TEST

struct second {
	struct person person;
	struct db *db;
	struct idempotent_answer answer;
	struct err e;
	int done;
};

static void *serve_second(void *argument)
{
	struct second *s = argument;
	CLEANUP(db_rollback_guard) struct db *tx = NULL;

	s->done = db_begin(s->db, &tx, &s->e);
	if (s->done == 0)
		s->done = begin(tx, &s->person, one_request, &s->answer, &s->e);
	return NULL;
}

/* The second request comes while the first is being handled. */
static struct second race(bool first_commits)
{
	CLEANUP(db_rollback_guard) struct db *tx = NULL;
	struct second second = { .person = make_person(first_commits ? "alice" : "bob"),
				 .db = connect_as("fsa_api", 10000) };
	struct idempotent_answer answer;
	struct err e;
	pthread_t thread;

	assert_ok(db_begin(api, &tx, &e), &e);
	assert_ok(begin(tx, &second.person, one_request, &answer, &e), &e);
	ck_assert_int_eq(pthread_create(&thread, NULL, serve_second, &second), 0);
	while (admin_int("SELECT count(*) FROM pg_stat_activity WHERE usename = $1"
			 " AND wait_event_type = 'Lock'",
			 "fsa_api") == 0)
		(void)usleep(1000);
	assert_ok(finish(tx, &second.person, 200, "first", &e), &e);
	if (first_commits)
		assert_ok(db_commit(&tx, &e), &e);
	else
		db_rollback_guard(&tx);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	db_freep(&second.db);
	assert_ok(second.done, &second.e);
	return second;
}

START_TEST(a_second_request_waits_for_the_first)
{
	struct second second = race(true);

	ck_assert(second.answer.replayed);
	ck_assert_str_eq(second.answer.sealed.data, "first");
	buf_release(&second.answer.sealed);
	second = race(false);
	ck_assert(!second.answer.replayed);
}
END_TEST

/* ---- audit ----------------------------------------------------------------------------------- */

START_TEST(the_audit_takes_lines_from_both_programs)
{
	json_t *detail = json_pack("{s:s}", "name", "it's");
	const struct audit_entry full = { .action = "project.create",
					  .user_id = "00000000-0000-4000-8000-000000000001",
					  .object_type = "project",
					  .object_id = "x",
					  .address = "2001:db8::1",
					  .request_id = "r1",
					  .detail = detail };
	const struct audit_entry bare = { .action = "login.failed" };
	struct err e;

	assert_ok(audit_add(api, &full, &e), &e);
	assert_ok(audit_add(auth, &bare, &e), &e);
	json_decref(detail);
	ck_assert_str_eq(admin_text("SELECT detail->>'name' || address FROM audit"
				    " WHERE action = $1",
				    "project.create"),
			 "it's2001:db8::1/128");
	ck_assert_str_eq(admin_text("SELECT detail FROM audit WHERE action = $1", "login.failed"),
			 "{}");
}
END_TEST

Suite *people_suite(void)
{
	Suite *suite = suite_create("people");
	TCase *c = live_case("people");

	tcase_add_test(c, a_user_is_found_by_name_without_case);
	tcase_add_test(c, a_password_hash_is_replaced);
	tcase_add_test(c, a_session_is_found_by_both_programs_until_it_is_deleted);
	tcase_add_test(c, a_session_ends_by_age_by_idleness_and_with_its_user);
	tcase_add_test(c, the_use_of_a_session_is_noted_once_a_minute);
	tcase_add_test(c, a_session_is_ended_by_its_owner_alone);
	tcase_add_test(c, settings_are_put_replaced_and_removed);
	tcase_add_test(c, a_kubeconfigs_info_can_be_read);
	tcase_add_test(c, an_answer_is_replayed_to_the_same_request_only);
	tcase_add_test(c, a_second_request_waits_for_the_first);
	tcase_add_test(c, the_audit_takes_lines_from_both_programs);
	suite_add_tcase(suite, c);
	return suite;
}
