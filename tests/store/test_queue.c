/* Tests the queue: leases, fences, fairness, and the effects of recording a result. */
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "store/environment.h"
#include "support.h"

static int record(const struct queue_result *result, size_t *ret_stale)
{
	struct err e;

	assert_ok(queue_record(reconcile, result, 1, ret_stale, &e), &e);
	return 0;
}

static const char *column(const char *sql, const char *id)
{
	return admin_text(sql, id);
}

static size_t claim_count(void)
{
	CLEANUP(queue_rows_clear) struct queue_rows rows = claim(10);

	return rows.count;
}

/* ---- claiming -------------------------------------------------------------------------------- */

START_TEST(a_claimed_row_has_all_that_a_pass_needs)
{
	struct person owner = make_owner("alice");
	struct made_project made = make_project(&owner, "shop", true);
	CLEANUP(queue_rows_clear) struct queue_rows rows = claim(10);

	ck_assert_uint_eq(rows.count, 2);
	const struct queue_row *s = find_row(&rows, made.sandbox);
	ck_assert_int_eq(s->kind, RESOURCE_SANDBOX);
	ck_assert_str_eq(s->project_id, made.id);
	ck_assert_str_eq(s->user_id, owner.id);
	ck_assert_str_eq(s->project_kube_name, "made");
	ck_assert_str_eq(s->namespace, "ns-alice");
	ck_assert_int_eq(s->desired, DESIRED_RUNNING);
	ck_assert_int_eq(s->status, STATUS_CREATING);
	ck_assert_int_eq(s->generation, 1);
	ck_assert_int_eq(s->lease_epoch, 1);
	ck_assert_uint_lt(s->status_age_ms, 60000);
	ck_assert(!s->has_cause);
	ck_assert_str_eq(s->image, "image:1");
	ck_assert_str_eq(s->home_size, "1Gi");
	ck_assert_str_eq(s->storage_limit, "1Gi");
	ck_assert_str_eq(s->cpu_limit, "200m");
	ck_assert_mem_eq(s->terminal_token_sealed, "\0token", 6);
	ck_assert_ptr_null(s->request_env_sealed);
	ck_assert_str_eq(s->database_id, made.database);
	ck_assert_ptr_null(s->connection.host);
	ck_assert_uint_eq(s->kubeconfig_sealed_length, 17);
	ck_assert_mem_eq(s->kubeconfig_sealed, "sealed\0kubeconfig", 17);
	ck_assert_int_eq(s->kubeconfig_version, 1);
	const struct queue_row *d = find_row(&rows, made.database);
	ck_assert_int_eq(d->kind, RESOURCE_DATABASE);
	ck_assert_str_eq(d->version, "postgresql-14.8.0");
	ck_assert_str_eq(d->storage_size, "3Gi");
	ck_assert_str_eq(d->cpu_limit, "1000m");
	ck_assert_ptr_null(d->image);
}
END_TEST

START_TEST(a_lease_keeps_others_away_until_it_ends)
{
	struct person owner = make_owner("alice");
	struct made_project made = make_project(&owner, "shop", false);
	struct queue_rows first = claim(10);
	struct queue_rows second = claim(10);

	ck_assert_uint_eq(first.count, 1);
	ck_assert_uint_eq(second.count, 0);
	queue_rows_clear(&second);
	admin_run("UPDATE resources SET leased_until = now() - interval '1 ms',"
		  " due_at = now() - interval '1 ms'",
		  NULL);
	second = claim(10);
	ck_assert_uint_eq(second.count, 1);
	ck_assert_int_eq(second.items[0].lease_epoch, first.items[0].lease_epoch + 1);
	/* The first pass is too late: it changes nothing, not even the lease. */
	struct queue_result late = result_of(&first.items[0], STATUS_RUNNING);
	size_t stale = 0;
	record(&late, &stale);
	ck_assert_uint_eq(stale, 1);
	ck_assert_str_eq(told(made.sandbox), "CREATING");
	ck_assert_uint_eq(claim_count(), 0);
	struct queue_result right = result_of(&second.items[0], STATUS_STARTING);
	record(&right, &stale);
	ck_assert_uint_eq(stale, 0);
	ck_assert_str_eq(told(made.sandbox), "STARTING");
	/* A repeated result is too late, too. */
	right.status = STATUS_RUNNING;
	record(&right, &stale);
	ck_assert_uint_eq(stale, 1);
	ck_assert_str_eq(told(made.sandbox), "STARTING");
	queue_rows_clear(&first);
	queue_rows_clear(&second);
}
END_TEST

/* Returns how many of the claimed rows belong to this user. */
static size_t count_of(const struct queue_rows *rows, const struct person *user)
{
	size_t count = 0;

	for (size_t i = 0; i < rows->count; i++)
		count += strcmp(rows->items[i].user_id, user->id) == 0;
	return count;
}

START_TEST(a_claim_may_be_for_those_that_are_well)
{
	struct person user = make_owner("troubled");
	struct made_project ill = make_project(&user, "ill", false);
	struct made_project well = make_project(&user, "well", false);
	struct queue_claim c = {
		.worker = "w", .limit = 9, .per_user = 9, .lease_ms = 60000, .only_well = true
	};
	struct queue_rows rows;
	struct err e;

	admin_run("UPDATE resources SET cause_kind = 'KUBE_TIMEOUT', cause_since = now() WHERE id "
		  "= $1",
		  ill.sandbox);
	assert_ok(queue_claim(reconcile, &c, &rows, &e), &e);
	ck_assert_uint_eq(rows.count, 1);
	(void)find_row(&rows, well.sandbox);
	queue_rows_clear(&rows);
	c.only_well = false;
	assert_ok(queue_claim(reconcile, &c, &rows, &e), &e);
	ck_assert_uint_eq(rows.count, 1);
	(void)find_row(&rows, ill.sandbox);
	queue_rows_clear(&rows);
}
END_TEST

START_TEST(claims_are_fair_between_users_and_oldest_first)
{
	struct person many = make_owner("many");
	struct person few = make_owner("few");
	struct queue_claim c = { .worker = "w", .limit = 4, .per_user = 100, .lease_ms = 60000 };
	struct queue_rows rows;
	struct made_project oldest;
	struct err e;
	char name[16];

	for (int i = 0; i < 10; i++) {
		(void)snprintf(name, sizeof(name), "p%d", i);
		struct made_project made = make_project(&many, name, false);
		if (i == 5)
			oldest = made;
	}
	admin_run("UPDATE resources SET due_at = now() - interval '1 hour'", NULL);
	admin_run("UPDATE resources SET due_at = now() - interval '2 hours' WHERE id = $1",
		  oldest.sandbox);
	(void)make_project(&few, "one", false);
	(void)make_project(&few, "two", false);
	assert_ok(queue_claim(reconcile, &c, &rows, &e), &e);
	ck_assert_uint_eq(rows.count, 4);
	ck_assert_uint_eq(count_of(&rows, &few), 2);
	(void)find_row(&rows, oldest.sandbox);
	queue_rows_clear(&rows);
	/* Rows in progress count: two of `many` are leased already. */
	c.per_user = 5;
	c.limit = 100;
	assert_ok(queue_claim(reconcile, &c, &rows, &e), &e);
	ck_assert_uint_eq(rows.count, 3);
	ck_assert_uint_eq(count_of(&rows, &many), 3);
	queue_rows_clear(&rows);
	assert_ok(queue_claim(reconcile, &c, &rows, &e), &e);
	ck_assert_uint_eq(rows.count, 0);
	queue_rows_clear(&rows);
}
END_TEST

START_TEST(a_wish_is_seen_behind_any_number_of_due_rows)
{
	struct person many = make_owner("many");
	struct person single = make_owner("single");
	struct queue_claim c = { .worker = "w", .limit = 2, .per_user = 100, .lease_ms = 60000 };
	struct queue_rows rows;
	struct err e;

	admin_run("WITH p AS (INSERT INTO projects (user_id, name, kube_name)"
		  "  SELECT $1::uuid, 'p' || n, 'p' FROM generate_series(1, 20001) n"
		  "  RETURNING id, user_id)"
		  " INSERT INTO resources (project_id, user_id, kind, name, namespace, server,"
		  "  due_at)"
		  " SELECT id, user_id, 'SANDBOX', 'p-' || row_number() OVER (), 'ns', 'https://x',"
		  "  now() - interval '1 hour' FROM p",
		  many.id);
	struct made_project made = make_project(&single, "one", false);
	assert_ok(queue_claim(reconcile, &c, &rows, &e), &e);
	ck_assert_uint_eq(rows.count, 2);
	(void)find_row(&rows, made.sandbox);
	queue_rows_clear(&rows);
}
END_TEST

/* Returns how many rows of `resources` and entries of its indexes this transaction has read. */
static int64_t read_so_far(struct db *tx)
{
	static const struct db_statement statement = {
		"test_read_so_far", "SELECT sum(pg_stat_get_xact_tuples_returned(c.oid)"
				    "  + pg_stat_get_xact_tuples_fetched(c.oid))::bigint"
				    " FROM pg_class c LEFT JOIN pg_index i ON i.indexrelid = c.oid"
				    " WHERE 'resources'::regclass IN (c.oid, i.indrelid)"
	};
	CLEANUP(db_result_free) PGresult *r = NULL;
	struct err e;

	assert_ok(db_query(tx, &statement, NULL, &r, &e), &e);
	return db_int(r, 0, 0);
}

/* Adds due rows of one user and, among them, one row for each of a hundred others. */
static void crowd(const struct person *many, int rows)
{
	char sql[1024];

	admin_run("INSERT INTO users (name) SELECT 'person ' || n FROM generate_series(1, 100) n",
		  NULL);
	(void)snprintf(
		sql, sizeof(sql),
		"WITH p AS (INSERT INTO projects (user_id, name, kube_name)"
		"  SELECT $1::uuid, 'p' || n, 'p' FROM generate_series(1, %d) n"
		"  UNION ALL SELECT id, 'p', 'p' FROM users WHERE name LIKE 'person %%'"
		"  RETURNING id, user_id)"
		" INSERT INTO resources (project_id, user_id, kind, name, namespace, server,"
		"  due_at)"
		" SELECT id, user_id, 'SANDBOX', 'p-' || n, 'ns', 'https://x',"
		"  now() - interval '1 hour' + CASE WHEN user_id = $1::uuid THEN n ELSE %d END"
		"   * interval '1 ms'"
		" FROM (SELECT *, row_number() OVER () AS n FROM p) AS p",
		rows, rows / 2);
	admin_run(sql, many->id);
	admin_run("ANALYZE resources", NULL);
}

START_TEST(a_claim_is_as_fair_and_reads_as_few_rows_however_many_are_due)
{
	enum { DUE = 20000, CLAIMS = 8, READ_MAX = 4000 };
	struct person many = make_owner("many");
	const struct queue_claim c = {
		.worker = "w", .limit = 32, .per_user = 16, .slow_limit = 32, .lease_ms = 60000
	};
	CLEANUP(db_rollback_guard) struct db *tx = NULL;
	int64_t before = 0;
	struct err e;

	crowd(&many, DUE);
	admin_run("UPDATE resources SET took_ms = 3000",
		  NULL); /* all are slow, as after an outage */
	assert_ok(db_begin(reconcile, &tx, &e), &e);
	/* Often enough for PostgreSQL's generic plan. */
	for (int i = 0; i < CLAIMS; i++) {
		CLEANUP(queue_rows_clear) struct queue_rows rows = { 0 };
		assert_ok(queue_claim(tx, &c, &rows, &e), &e);
		if (i < 2)
			ck_assert_uint_eq(rows.count, 32);
		ck_assert_uint_le(count_of(&rows, &many), i < 2 ? 1 : 16);
		int64_t now = read_so_far(tx);
		ck_assert_int_lt(now - before, READ_MAX);
		before = now;
	}
}
END_TEST

/* A user with a row that occupied its place for long shares few places with all such users, also
 * for new rows, which are not known to be slow. */
START_TEST(users_with_slow_rows_share_few_places)
{
	struct person slow[3] = { make_owner("one"), make_owner("two"), make_owner("three") };
	struct person other = make_owner("other");
	struct queue_claim c = {
		.worker = "w", .limit = 100, .per_user = 100, .lease_ms = 60000, .slow_limit = 2
	};
	struct queue_rows rows;
	struct err e;

	for (size_t i = 0; i < ARRAY_SIZE(slow); i++) {
		(void)make_project(&slow[i], "known", false);
		admin_run("UPDATE resources SET took_ms = 4500, due_at = now() + interval '1 hour'"
			  " WHERE user_id = $1",
			  slow[i].id);
		(void)make_project(&slow[i], "new", false);
	}
	struct made_project made = make_project(&other, "shop", true);
	assert_ok(queue_claim(reconcile, &c, &rows, &e), &e);
	ck_assert_uint_eq(rows.count, 4);
	(void)find_row(&rows, made.sandbox);
	(void)find_row(&rows, made.database);
	size_t slow_rows = 0;
	for (size_t i = 0; i < rows.count; i++)
		slow_rows += rows.items[i].slow;
	ck_assert_uint_eq(slow_rows, 2);
	/* The duration is recorded even if the desired state has changed meanwhile. */
	struct queue_result result = result_of(find_row(&rows, made.sandbox), STATUS_RUNNING);
	result.took_ms = 3000;
	result.generation--;
	assert_ok(queue_record(reconcile, &result, 1, NULL, &e), &e);
	queue_rows_clear(&rows);
	ck_assert_int_eq(admin_int("SELECT took_ms FROM resources WHERE id = $1", made.sandbox),
			 3000);
	c.slow_limit = 0;
	assert_ok(queue_claim(reconcile, &c, &rows, &e), &e);
	ck_assert_uint_eq(rows.count, 0);
	queue_rows_clear(&rows);
}
END_TEST

/* Users who have to wait for places are not chosen: otherwise they would always be the oldest and
 * the newest. */
START_TEST(users_without_places_do_not_displace_others)
{
	enum { WAITING = 3 };
	struct person older[WAITING] = { make_owner("a1"), make_owner("a2"), make_owner("a3") };
	struct person other = make_owner("other");
	struct person newer[WAITING] = { make_owner("b1"), make_owner("b2"), make_owner("b3") };
	struct queue_claim c = { .worker = "w", .limit = 2, .per_user = 9, .lease_ms = 60000 };
	struct queue_rows rows;
	struct err e;

	for (size_t i = 0; i < WAITING; i++) {
		(void)make_project(&older[i], "older", false);
		(void)make_project(&newer[i], "newer", false);
		admin_run("UPDATE resources SET took_ms = 4500, due_at = now() - interval '3 s'"
			  " WHERE user_id = $1",
			  older[i].id);
		admin_run("UPDATE resources SET took_ms = 4500, due_at = now() - interval '1 s'"
			  " WHERE user_id = $1",
			  newer[i].id);
	}
	struct made_project made = make_project(&other, "shop", false);
	admin_run("UPDATE resources SET due_at = now() - interval '2 s' WHERE id = $1",
		  made.sandbox);
	assert_ok(queue_claim(reconcile, &c, &rows, &e), &e);
	ck_assert_uint_eq(rows.count, 1);
	(void)find_row(&rows, made.sandbox);
	queue_rows_clear(&rows);
}
END_TEST

/* Claims until nothing is due, in its own process, and counts each row in its epoch. */

static void claim_everything(void)
{
	CLEANUP(db_freep) struct db *db = connect_as("fsa_reconcile", 10000);
	const struct queue_claim c = {
		.worker = "w", .limit = 7, .per_user = 1000, .lease_ms = 60000
	};
	struct queue_rows rows;
	struct err e;
	size_t count;

	do {
		if (queue_claim(db, &c, &rows, &e) < 0)
			_exit(2);
		count = rows.count;
		queue_rows_clear(&rows);
	} while (count > 0);
	_exit(0);
}

static int exit_status(pid_t child)
{
	int status = -1;

	ck_assert_int_eq(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

START_TEST(claims_at_the_same_time_never_overlap)
{
	struct person owner = make_owner("alice");
	pid_t children[4];
	char name[16];

	for (int i = 0; i < 150; i++) {
		(void)snprintf(name, sizeof(name), "p%d", i);
		(void)make_project(&owner, name, true);
	}
	for (size_t i = 0; i < ARRAY_SIZE(children); i++) {
		children[i] = fork();
		if (children[i] == 0)
			claim_everything();
	}
	for (size_t i = 0; i < ARRAY_SIZE(children); i++)
		ck_assert_int_eq(exit_status(children[i]), 0);
	ck_assert_int_eq(admin_int("SELECT count(*) FROM resources WHERE lease_epoch = 1"
				   " AND leased_until > now()",
				   NULL),
			 300);
}
END_TEST

START_TEST(variables_come_with_their_projects)
{
	struct person owner = make_owner("alice");
	struct made_project made = make_project(&owner, "shop", false);
	struct made_project other = make_project(&owner, "other", false);
	const struct variable_new two[] = {
		{ .key = "B", .value_sealed = "b", .value_sealed_length = 1 },
		{ .key = "A", .value_sealed = "a", .value_sealed_length = 1 }
	};
	CLEANUP(queue_variables_clear) struct queue_variables variables = { 0 };
	const char *ids[] = { made.id };
	struct err e;

	assert_ok(variable_put(api, owner.id, made.id, two, 2, &e), &e);
	assert_ok(variable_put(api, owner.id, other.id, two, 2, &e), &e);
	assert_ok(queue_variables(reconcile, ids, 1, &variables, &e), &e);
	ck_assert_uint_eq(variables.count, 2);
	ck_assert_str_eq(variables.items[0].project_id, made.id);
	ck_assert_str_eq(variables.items[0].key, "A");
	ck_assert_mem_eq(variables.items[1].value_sealed, "b", 1);
}
END_TEST

/* ---- recording ------------------------------------------------------------------------------- */

START_TEST(an_error_keeps_its_cause_until_it_heals)
{
	struct person owner = make_owner("alice");
	struct made_project made = make_project(&owner, "shop", false);
	const char *cause = "SELECT concat_ws('|', cause_kind, cause_code, cause_message)"
			    " FROM resources WHERE id = $1";
	const char *since = "SELECT cause_since FROM resources WHERE id = $1";
	const struct {
		enum status status;
		const char *kind, *told;
	} steps[] = {
		{ STATUS_STARTING, "POD_MOUNT", "POD_MOUNT|CODE|message" },
		{ STATUS_STARTING, NULL, "" },
		{ STATUS_ERROR, "DEADLINE", "DEADLINE|CODE|message" },
		{ STATUS_ERROR, NULL, "DEADLINE|CODE|message" },
		{ STATUS_ERROR, "POD_IMAGE", "POD_IMAGE|CODE|message" },
		{ STATUS_ERROR, NULL, "POD_IMAGE|CODE|message" },
		{ STATUS_RUNNING, NULL, "" },
	};
	char first[64] = "";

	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		CLEANUP(queue_rows_clear) struct queue_rows rows = claim(10);
		struct queue_result r = result_of(&rows.items[0], steps[i].status);
		r.has_cause = steps[i].kind != NULL;
		r.cause_kind = steps[i].kind;
		r.cause_code = "CODE";
		r.cause_message = "message";
		r.due_in_ms = 0;
		record(&r, NULL);
		ck_assert_str_eq(column(cause, made.sandbox), steps[i].told);
		if (i == 2)
			(void)snprintf(first, sizeof(first), "%s", column(since, made.sandbox));
		if (i == 3)
			ck_assert_str_eq(column(since, made.sandbox), first);
	}
}
END_TEST

START_TEST(a_warning_is_recorded_with_since_when_it_holds)
{
	struct person owner = make_owner("alice");
	struct made_project made = make_project(&owner, "shop", false);
	const char *since = "SELECT warnings #>> '{0,since}' FROM resources WHERE id = $1";
	const char *count = "SELECT jsonb_array_length(warnings) FROM resources WHERE id = $1";
	CLEANUP(json_decrefp) json_t *one = json_pack("[{s:s, s:s}]", "code", "A", "message", "a");
	CLEANUP(json_decrefp)
	json_t *two = json_pack("[{s:s, s:s}, {s:s}]", "code", "A", "message", "b", "code", "B");
	CLEANUP(json_decrefp) json_t *none = json_array();
	CLEANUP(json_decrefp) json_t *kept = json_pack("{s:s}", "k", "v");
	json_t *const steps[] = { one, NULL, two, none };
	const int64_t counts[] = { 1, 1, 2, 0 };
	char first[64] = "";

	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		CLEANUP(queue_rows_clear) struct queue_rows rows = claim(10);
		ck_assert_int_eq(rows.items[0].warnings != NULL, i > 0);
		ck_assert_int_eq(rows.items[0].observed != NULL, i > 0);
		struct queue_result r = result_of(&rows.items[0], STATUS_RUNNING);
		r.warnings = steps[i];
		r.observed = i == 0 ? kept : NULL;
		r.due_in_ms = 0;
		record(&r, NULL);
		ck_assert_int_eq(admin_int(count, made.sandbox), counts[i]);
		if (i == 0)
			(void)snprintf(first, sizeof(first), "%s", column(since, made.sandbox));
		else if (counts[i] > 0)
			ck_assert_str_eq(column(since, made.sandbox), first);
	}
	ck_assert_uint_eq(strlen(first), strlen("2026-01-01T00:00:00.000Z"));
}
END_TEST

START_TEST(a_result_is_recorded_with_its_cause)
{
	struct person owner = make_owner("alice");
	struct made_project made = make_project(&owner, "shop", false);
	const char *cause = "SELECT concat_ws('|', cause_kind, cause_code, cause_message, attempts)"
			    " FROM resources WHERE id = $1";
	const char *since = "SELECT cause_since FROM resources WHERE id = $1";
	const char *count = "SELECT count(*) FROM events WHERE project_id = $1";
	char long_message[3000], first[64];

	memset(long_message, 'x', sizeof(long_message) - 1);
	long_message[sizeof(long_message) - 1] = '\0';
	memcpy(long_message, "\xff it's", 6);
	struct queue_rows rows = claim(10);
	struct queue_result r = result_of(&rows.items[0], STATUS_STARTING);
	r.stage = STAGE_CONTAINER;
	r.has_cause = true;
	r.cause_kind = "POD_IMAGE";
	r.cause_code = "ErrImagePull";
	r.cause_message = long_message;
	r.attempts = 3;
	r.due_in_ms = 0;
	record(&r, NULL);
	queue_rows_clear(&rows);
	ck_assert_ptr_nonnull(strstr(column(cause, made.sandbox), "POD_IMAGE|ErrImagePull|? it's"));
	ck_assert_str_eq(project_told(made.id), "STARTING");
	(void)snprintf(first, sizeof(first), "%s", column(since, made.sandbox));
	int64_t events = admin_int(count, made.id);

	/* The same result again changes nothing. */
	rows = claim(10);
	ck_assert(rows.items[0].has_cause);
	ck_assert_uint_eq(rows.items[0].attempts, 3);
	ck_assert_int_eq(rows.items[0].stage, STAGE_CONTAINER);
	r.id = rows.items[0].id;
	r.lease_epoch = rows.items[0].lease_epoch;
	r.cause_message = "another text";
	record(&r, NULL);
	ck_assert_str_eq(column(since, made.sandbox), first);
	ck_assert_int_eq(admin_int(count, made.id), events);
	queue_rows_clear(&rows);

	/* The fault has ended. */
	rows = claim(10);
	r = result_of(&rows.items[0], STATUS_RUNNING);
	record(&r, NULL);
	queue_rows_clear(&rows);
	ck_assert_str_eq(column(cause, made.sandbox), "0");
	ck_assert_int_eq(admin_int(count, made.id), events + 2);
	ck_assert_str_eq(column("SELECT due_at > now() + interval '59 minutes' FROM resources"
				" WHERE id = $1",
				made.sandbox),
			 "t");
}
END_TEST

START_TEST(a_result_for_an_older_generation_only_gives_the_lease_back)
{
	struct person owner = make_owner("alice");
	struct made_project made = make_project(&owner, "shop", false);
	struct queue_rows rows = claim(10);
	struct queue_result late = result_of(&rows.items[0], STATUS_RUNNING);
	size_t stale = 9;
	struct err e;

	assert_ok(project_set_desired(api, owner.id, made.id, DESIRED_STOPPED, &e), &e);
	record(&late, &stale);
	queue_rows_clear(&rows);
	ck_assert_uint_eq(stale, 0);
	ck_assert_str_eq(told(made.sandbox), "STOPPING");
	ck_assert_str_eq(project_told(made.id), "STOPPING");
	rows = claim(10);
	ck_assert_uint_eq(rows.count, 1);
	ck_assert_int_eq(rows.items[0].desired, DESIRED_STOPPED);
	queue_rows_clear(&rows);
}
END_TEST

START_TEST(a_row_made_due_while_it_was_leased_is_due_at_once)
{
	struct person owner = make_owner("alice");
	struct made_project made = make_project(&owner, "shop", false);
	struct queue_rows rows = claim(10);
	struct queue_result r = result_of(&rows.items[0], STATUS_RUNNING);

	put_kubeconfig(&owner, "ns-alice");
	record(&r, NULL);
	queue_rows_clear(&rows);
	ck_assert_str_eq(told(made.sandbox), "RUNNING");
	rows = claim(10);
	ck_assert_uint_eq(rows.count, 1);
	ck_assert_int_eq(rows.items[0].kubeconfig_version, 2);
	queue_rows_clear(&rows);
}
END_TEST

START_TEST(stable_rows_of_a_user_are_due_together)
{
	enum { PERIOD_MS = 600000 };
	struct person alice = make_owner("alice"), bob = make_owner("bob");
	(void)make_project(&alice, "shop", false);
	(void)make_project(&alice, "cafe", false);
	(void)make_project(&bob, "blog", false);
	CLEANUP(queue_rows_clear) struct queue_rows rows = claim(10);

	for (size_t i = 0; i < rows.count; i++) {
		struct queue_result r = result_of(&rows.items[i], STATUS_RUNNING);
		r.due_in_ms = 0;
		r.resync_ms = PERIOD_MS;
		record(&r, NULL);
	}
	ck_assert_int_eq(
		admin_int("SELECT count(DISTINCT due_at) FROM resources WHERE user_id = $1",
			  alice.id),
		1);
	ck_assert_int_eq(admin_int("SELECT count(DISTINCT due_at) FROM resources", NULL), 2);
	ck_assert_int_eq(
		admin_int("SELECT count(*) FROM resources WHERE due_at"
			  " BETWEEN now() + interval '4 min' AND now() + interval '15 min'",
			  NULL),
		3);
}
END_TEST

/* A row whose server is slow is observed less often than the interval says. */
START_TEST(a_stable_row_is_not_due_before_its_time)
{
	struct person owner = make_owner("alice");
	struct made_project made = make_project(&owner, "shop", false);
	CLEANUP(queue_rows_clear) struct queue_rows rows = claim(10);
	struct queue_result r = result_of(&rows.items[0], STATUS_RUNNING);

	r.due_in_ms = 7200000;
	r.resync_ms = 60000;
	record(&r, NULL);
	ck_assert_str_eq(
		column("SELECT due_at > now() + interval '1 h' FROM resources WHERE id = $1",
		       made.sandbox),
		"t");
}
END_TEST

START_TEST(a_new_connection_wakes_its_sandbox)
{
	struct person owner = make_owner("alice");
	struct made_project made = make_project(&owner, "shop", true);
	struct queue_rows rows = claim(10);
	struct queue_result waits = result_of(find_row(&rows, made.sandbox), STATUS_CREATING);
	struct queue_result learnt = result_of(find_row(&rows, made.database), STATUS_CREATING);
	CLEANUP(sandbox_view_clear) struct sandbox_view view = { 0 };
	struct err e;

	learnt.connection.host = "db.ns-alice.svc";
	learnt.connection.port = 5432;
	learnt.connection.database = "postgres";
	learnt.connection.username = "postgres";
	learnt.connection.password_sealed = "\0pw";
	learnt.connection.password_sealed_length = 3;
	record(&waits, NULL);
	record(&learnt, NULL);
	queue_rows_clear(&rows);
	rows = claim(10);
	ck_assert_uint_eq(rows.count, 1);
	const struct queue_row *s = find_row(&rows, made.sandbox);
	ck_assert_str_eq(s->connection.host, "db.ns-alice.svc");
	ck_assert_int_eq(s->connection.port, 5432);
	ck_assert_str_eq(s->connection.database, "postgres");
	ck_assert_str_eq(s->connection.username, "postgres");
	ck_assert_uint_eq(s->connection.password_sealed_length, 3);
	ck_assert_mem_eq(s->connection.password_sealed, "\0pw", 3);
	queue_rows_clear(&rows);
	assert_ok(sandbox_get(api, owner.id, made.id, SANDBOX_FIRST, &view, &e), &e);
	ck_assert(view.has_database && view.database_ready);
	ck_assert_int_eq(view.database_status, STATUS_CREATING);
}
END_TEST

/* Like a_new_connection_wakes_its_sandbox(), for the same database later. */
START_TEST(a_lost_connection_is_shown_to_nobody)
{
	struct person owner = make_owner("alice");
	struct made_project made = make_project(&owner, "shop", true);
	struct queue_rows rows = claim(10);
	struct queue_result waits = result_of(find_row(&rows, made.sandbox), STATUS_CREATING);
	struct queue_result told = result_of(find_row(&rows, made.database), STATUS_RUNNING);
	CLEANUP(sandbox_view_clear) struct sandbox_view view = { 0 };
	struct err e;

	told.connection.host = "db.ns-alice.svc";
	told.connection.port = 5432;
	told.connection.database = told.connection.username = "postgres";
	told.connection.cluster_uid = "1-2-3";
	told.connection.password_sealed = "pw";
	told.connection.password_sealed_length = 2;
	told.due_in_ms = 0;
	record(&waits, NULL);
	record(&told, NULL);
	queue_rows_clear(&rows);
	rows = claim(10);
	const struct queue_row *d = find_row(&rows, made.database);
	ck_assert_str_eq(d->connection.cluster_uid, "1-2-3");
	waits = result_of(find_row(&rows, made.sandbox), STATUS_CREATING);
	told = result_of(d, STATUS_RUNNING);
	told.disconnected = true;
	record(&waits, NULL);
	record(&told, NULL);
	queue_rows_clear(&rows);
	rows = claim(10); /* the sandbox becomes due */
	ck_assert_uint_eq(rows.count, 1);
	ck_assert_ptr_null(find_row(&rows, made.sandbox)->connection.host);
	ck_assert_ptr_null(find_row(&rows, made.sandbox)->connection.cluster_uid);
	queue_rows_clear(&rows);
	assert_ok(sandbox_get(api, owner.id, made.id, SANDBOX_FIRST, &view, &e), &e);
	ck_assert(view.has_database && !view.database_ready);
}
END_TEST

START_TEST(a_project_goes_with_its_last_resource)
{
	struct person owner = make_owner("alice");
	struct made_project made = make_project(&owner, "shop", true);
	struct made_project kept = make_project(&owner, "kept", false);
	struct err e;

	reach(STATUS_RUNNING);
	assert_ok(project_set_desired(api, owner.id, made.id, DESIRED_GONE, &e), &e);
	struct queue_rows rows = claim(10);
	ck_assert_uint_eq(rows.count, 2);
	struct queue_result r = result_of(find_row(&rows, made.sandbox), STATUS_TERMINATED);
	r.gone = true;
	record(&r, NULL);
	ck_assert_str_eq(project_told(made.id), "TERMINATING");
	ck_assert_str_eq(told(made.sandbox), "");
	r = result_of(find_row(&rows, made.database), STATUS_TERMINATED);
	r.gone = true;
	record(&r, NULL);
	queue_rows_clear(&rows);
	ck_assert_str_eq(project_told(made.id), "");
	ck_assert_int_eq(admin_int("SELECT count(*) FROM databases", NULL), 0);
	ck_assert_int_eq(admin_int("SELECT count(*) FROM events WHERE project_id = $1", made.id),
			 0);
	ck_assert_str_eq(project_told(kept.id), "RUNNING");
}
END_TEST

START_TEST(a_released_lease_is_due_at_once)
{
	struct person owner = make_owner("alice");
	struct made_project made = make_project(&owner, "shop", false);
	struct queue_rows rows = claim(10);
	CLEANUP(json_decrefp) json_t *known = json_pack("{s:b}", "known", 1);
	struct queue_lease lease = { made.sandbox, rows.items[0].lease_epoch - 1,
				     rows.items[0].generation, known };
	struct err e;

	queue_rows_clear(&rows);
	assert_ok(queue_release(reconcile, &lease, 1, &e), &e);
	rows = claim(10);
	ck_assert_uint_eq(rows.count, 0);
	queue_rows_clear(&rows);
	lease.epoch++;
	assert_ok(queue_release(reconcile, &lease, 1, &e), &e);
	rows = claim(10);
	ck_assert_uint_eq(rows.count, 1);
	ck_assert_str_eq(rows.items[0].observed, "{\"known\": true}");
	queue_rows_clear(&rows);
}
END_TEST

START_TEST(facts_about_an_older_generation_are_not_kept_at_a_release)
{
	struct person owner = make_owner("alice");
	struct made_project made = make_project(&owner, "shop", false);
	struct queue_rows rows = claim(10);
	CLEANUP(json_decrefp) json_t *known = json_pack("{s:b}", "known", 1);
	struct queue_lease lease = { made.sandbox, rows.items[0].lease_epoch,
				     rows.items[0].generation - 1, known };
	struct err e;

	queue_rows_clear(&rows);
	assert_ok(queue_release(reconcile, &lease, 1, &e), &e);
	rows = claim(10);
	ck_assert_uint_eq(rows.count, 1);
	ck_assert_ptr_null(rows.items[0].observed);
	queue_rows_clear(&rows);
}
END_TEST

START_TEST(a_row_whose_objects_have_changed_is_due_at_once_unless_it_has_a_cause)
{
	struct person owner = make_owner("alice");
	struct made_project made = make_project(&owner, "shop", false);
	const char *ids[] = { made.sandbox };
	struct queue_rows rows;
	struct err e;

	admin_run("UPDATE resources SET due_at = now() + interval '1 hour'", NULL);
	assert_ok(queue_wake(reconcile, ids, 1, &e), &e);
	rows = claim(10);
	ck_assert_uint_eq(rows.count, 1);
	queue_rows_clear(&rows);
	admin_run("UPDATE resources SET leased_until = NULL, leased_by = NULL,"
		  " due_at = now() + interval '1 hour',"
		  " cause_kind = 'KUBE_QUOTA', cause_code = 'x', cause_message = 'x',"
		  " cause_since = now()",
		  NULL);
	assert_ok(queue_wake(reconcile, ids, 1, &e), &e);
	rows = claim(10);
	ck_assert_uint_eq(rows.count, 0);
	queue_rows_clear(&rows);
}
END_TEST

START_TEST(the_next_due_row_is_known)
{
	struct person owner = make_owner("alice");
	struct made_project made;
	uint64_t ms = 0;
	struct err e;

	admin_run("UPDATE kubeconfig_checks SET due_at = NULL", NULL); /* these would count, too */
	assert_ok(queue_next_due(reconcile, &everybody, &ms, &e), &e);
	ck_assert_uint_eq(ms, UINT64_MAX);
	made = make_project(&owner, "shop", false);
	assert_ok(queue_next_due(reconcile, &everybody, &ms, &e), &e);
	ck_assert_uint_eq(ms, 0);
	admin_run("UPDATE resources SET due_at = now() + interval '5 s' WHERE id = $1",
		  made.sandbox);
	assert_ok(queue_next_due(reconcile, &everybody, &ms, &e), &e);
	ck_assert_uint_gt(ms, 3000);
	ck_assert_uint_le(ms, 5000);
	admin_run("UPDATE resources SET due_at = now() WHERE id = $1", made.sandbox);
	struct queue_rows rows = claim(1);
	assert_ok(queue_next_due(reconcile, &everybody, &ms, &e), &e);
	ck_assert_uint_gt(ms, 50000);
	queue_rows_clear(&rows);
}
END_TEST

START_TEST(housekeeping_removes_expired_rows)
{
	struct person owner = make_owner("alice");
	struct err e;

	admin_run("INSERT INTO sessions (id_hash, user_id, identity_id, expires_at)"
		  " SELECT sha256(n::text::bytea), i.user_id, i.id, now() + n * interval '1 hour'"
		  " FROM identities i, generate_series(-2, 2) AS n WHERE i.user_id = $1 AND n <> 0",
		  owner.id);
	admin_run("INSERT INTO idempotency (user_id, key, fingerprint, created_at)"
		  " SELECT $1::uuid, n::text, sha256(''), now() - n * interval '20 hours'"
		  " FROM generate_series(0, 2) AS n",
		  owner.id);
	struct made_project made = make_project(&owner, "My App", true);
	admin_run("INSERT INTO events (project_id, at, status) SELECT $1, now() -"
		  " n * interval '20 hours', 'RUNNING' FROM generate_series(1, 3) AS n",
		  made.id);
	admin_run("INSERT INTO audit (at, user_id, action) SELECT now() - n * interval '9 days',"
		  " $1::uuid, 'test' FROM generate_series(1, 6) AS n",
		  owner.id);
	int64_t events = admin_int("SELECT count(*) FROM events", NULL);
	struct queue_retention keep = { .idempotency_ms = 86400000, .events_ms = 2 * 86400000 };
	assert_ok(queue_housekeeping(reconcile, &keep, &e), &e);
	ck_assert_int_eq(admin_int("SELECT count(*) FROM events", NULL), events - 1);
	ck_assert_int_eq(admin_int("SELECT count(*) FROM sessions", NULL), 2);
	ck_assert_int_eq(admin_int("SELECT count(*) FROM idempotency", NULL), 2);
	ck_assert_int_eq(admin_int("SELECT count(*) FROM audit", NULL), 6);
	admin_run("INSERT INTO events (project_id, status) SELECT $1, 'RUNNING'"
		  " FROM generate_series(1, 1500)",
		  made.id);
	int64_t newest = admin_int("SELECT max(id) FROM events", NULL);
	struct made_project other = make_project(&owner, "Other", false);
	for (int i = 0; i < 9; i++)
		assert_ok(queue_housekeeping(reconcile, &keep, &e), &e);
	ck_assert_int_eq(admin_int("SELECT count(*) FROM events WHERE project_id = $1", made.id),
			 QUEUE_EVENTS_MAX);
	ck_assert_int_eq(admin_int("SELECT max(id) FROM events WHERE project_id = $1", made.id),
			 newest);
	ck_assert_int_gt(admin_int("SELECT count(*) FROM events WHERE project_id = $1", other.id),
			 0);
	keep.audit_ms = 50 * UINT64_C(86400000);
	assert_ok(queue_housekeeping(reconcile, &keep, &e), &e);
	ck_assert_int_eq(admin_int("SELECT count(*) FROM audit", NULL), 5);
	/* Whoever controls the program cannot remove its traces. */
	keep.audit_ms = 1;
	assert_ok(queue_housekeeping(reconcile, &keep, &e), &e);
	ck_assert_int_eq(admin_int("SELECT count(*) FROM audit", NULL), 3);
}
END_TEST

/* ---- together -------------------------------------------------------------------------------- */

/* Makes changes for two seconds; returns the exit status. */
static void change_for_a_while(const struct person *owner, const struct made_project *projects,
			       size_t count)
{
	CLEANUP(db_freep) struct db *db = connect_as("fsa_api", 10000);
	time_t end = time(NULL) + 2;
	struct err e;

	for (unsigned i = 0; time(NULL) < end; i++) {
		const struct made_project *p = &projects[i % count];
		enum desired desired = i / count % 2 ? DESIRED_RUNNING : DESIRED_STOPPED;
		if (project_set_desired(db, owner->id, p->id, desired, &e) < 0 ||
		    (i % 7 == 0 && project_restart(db, owner->id, p->id, &e) < 0)) {
			(void)fprintf(stderr, "change: %s\n", e.message);
			_exit(2);
		}
	}
	_exit(0);
}

static void store_kubeconfigs_for_a_while(const struct person *owner)
{
	CLEANUP(db_freep) struct db *db = connect_as("fsa_api", 10000);
	const struct cluster_new k = { .id = owner->id,
				       .user_id = owner->id,
				       .name = CLUSTER_DEFAULT,
				       .server = "https://cluster.example:6443",
				       .namespace = "ns-alice",
				       .account = "me" };
	time_t end = time(NULL) + 2;
	struct err e;

	while (time(NULL) < end) {
		if (cluster_put(db, &k, "kubeconfig", seal_for_test, NULL, &e) < 0) {
			(void)fprintf(stderr, "kubeconfig: %s\n", e.message);
			_exit(2);
		}
	}
	_exit(0);
}

static void pass_for_a_while(void)
{
	CLEANUP(db_freep) struct db *db = connect_as("fsa_reconcile", 10000);
	const struct queue_claim c = {
		.worker = "w", .limit = 20, .per_user = 1000, .lease_ms = 60000
	};
	time_t end = time(NULL) + 2;
	struct queue_result results[20];
	struct queue_rows rows;
	struct err e;

	while (time(NULL) < end) {
		if (queue_claim(db, &c, &rows, &e) < 0)
			_exit(2);
		for (size_t i = 0; i < rows.count; i++) {
			const struct queue_row *row = &rows.items[rows.count - 1 - i];
			results[i] =
				result_of(row, row->desired == DESIRED_RUNNING ? STATUS_RUNNING
									       : STATUS_STOPPED);
			results[i].due_in_ms = 0;
		}
		if (queue_record(db, results, rows.count, NULL, &e) < 0) {
			(void)fprintf(stderr, "record: %s\n", e.message);
			_exit(2);
		}
		queue_rows_clear(&rows);
	}
	_exit(0);
}

START_TEST(changes_and_passes_never_block_each_other_for_good)
{
	struct person owner = make_owner("alice");
	struct made_project projects[10];
	pid_t children[6];
	char name[16];

	for (size_t i = 0; i < ARRAY_SIZE(projects); i++) {
		(void)snprintf(name, sizeof(name), "p%zu", i);
		projects[i] = make_project(&owner, name, true);
	}
	for (size_t i = 0; i < ARRAY_SIZE(children); i++) {
		children[i] = fork();
		if (children[i] == 0 && i < 2)
			change_for_a_while(&owner, projects, ARRAY_SIZE(projects));
		if (children[i] == 0 && i == 2)
			store_kubeconfigs_for_a_while(&owner);
		if (children[i] == 0)
			pass_for_a_while();
	}
	for (size_t i = 0; i < ARRAY_SIZE(children); i++)
		ck_assert_int_eq(exit_status(children[i]), 0);
	/* In whichever order, each project's status is the aggregate of its resources. */
	ck_assert_int_eq(admin_int("SELECT count(*) FROM projects p WHERE status <>"
				   " (SELECT aggregate_status(array_agg(r.status))"
				   "  FROM resources r WHERE r.project_id = p.id)",
				   NULL),
			 0);
}
END_TEST

Suite *queue_suite(void)
{
	Suite *suite = suite_create("queue");
	TCase *c = live_case("queue");

	tcase_add_test(c, users_with_slow_rows_share_few_places);
	tcase_add_test(c, users_without_places_do_not_displace_others);
	tcase_add_test(c, a_claimed_row_has_all_that_a_pass_needs);
	tcase_add_test(c, a_lease_keeps_others_away_until_it_ends);
	tcase_add_test(c, a_claim_may_be_for_those_that_are_well);
	tcase_add_test(c, claims_are_fair_between_users_and_oldest_first);
	tcase_add_test(c, a_wish_is_seen_behind_any_number_of_due_rows);
	tcase_add_test(c, a_claim_is_as_fair_and_reads_as_few_rows_however_many_are_due);
	tcase_add_test(c, claims_at_the_same_time_never_overlap);
	tcase_add_test(c, variables_come_with_their_projects);
	tcase_add_test(c, a_result_is_recorded_with_its_cause);
	tcase_add_test(c, a_warning_is_recorded_with_since_when_it_holds);
	tcase_add_test(c, an_error_keeps_its_cause_until_it_heals);
	tcase_add_test(c, a_result_for_an_older_generation_only_gives_the_lease_back);
	tcase_add_test(c, a_row_made_due_while_it_was_leased_is_due_at_once);
	tcase_add_test(c, stable_rows_of_a_user_are_due_together);
	tcase_add_test(c, a_stable_row_is_not_due_before_its_time);
	tcase_add_test(c, a_new_connection_wakes_its_sandbox);
	tcase_add_test(c, a_lost_connection_is_shown_to_nobody);
	tcase_add_test(c, a_project_goes_with_its_last_resource);
	tcase_add_test(c, a_released_lease_is_due_at_once);
	tcase_add_test(c, facts_about_an_older_generation_are_not_kept_at_a_release);
	tcase_add_test(c, a_row_whose_objects_have_changed_is_due_at_once_unless_it_has_a_cause);
	tcase_add_test(c, the_next_due_row_is_known);
	tcase_add_test(c, housekeeping_removes_expired_rows);
	tcase_add_test(c, changes_and_passes_never_block_each_other_for_good);
	suite_add_tcase(suite, c);
	return suite;
}
