#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct db *api, *auth, *reconcile, *fsa_events, *admin;

static const char *need_env(const char *name)
{
	const char *value = getenv(name);

	ck_assert_msg(value != NULL, "%s is not set: run tests/store/test_store.py", name);
	return value;
}

bool prepares(void)
{
	return strcmp(need_env("FSA_TEST_PREPARE"), "yes") == 0;
}

struct db *connect_as(const char *role, uint64_t timeout_ms)
{
	return db_new(&(struct db_options) { .conninfo = need_env("FSA_TEST_DATABASE"),
					     .role = role,
					     .application_name = "store_tests",
					     .prepare = prepares(),
					     .timeout_ms = timeout_ms });
}

static void set_up(void)
{
	api = connect_as("fsa_api", 10000);
	auth = connect_as("fsa_auth", 10000);
	reconcile = connect_as("fsa_reconcile", 10000);
	fsa_events = connect_as("fsa_events", 10000);
	admin = db_new(&(struct db_options) { .conninfo = need_env("FSA_TEST_ADMIN"),
					      .role = "postgres",
					      .application_name = "store_tests",
					      .timeout_ms = 30000 });
	admin_run(
		"TRUNCATE users, projects, audit, login_throttle, pass_hosts, live_changes CASCADE",
		NULL);
	admin_run("UPDATE spending_pause SET until = now()", NULL);
}

static void tear_down(void)
{
	db_freep(&api);
	db_freep(&auth);
	db_freep(&reconcile);
	db_freep(&fsa_events);
	db_freep(&admin);
}

TCase *live_case(const char *name)
{
	TCase *c = tcase_create(name);

	tcase_add_checked_fixture(c, set_up, tear_down);
	tcase_set_timeout(c, 300);
	return c;
}

void assert_ok(int done, const struct err *e)
{
	ck_assert_msg(done == 0, "%s: %s", done ? e->code : "", done ? e->message : "");
}

void assert_fails(int done, const struct err *e, enum err_kind kind, const char *code)
{
	ck_assert_msg(done == -1, "expected %s", code);
	ck_assert_msg(e->kind == kind && strcmp(e->code, code) == 0, "%s, not %s: %s", e->code,
		      code, e->message);
}

/* ---- the superuser's view -------------------------------------------------------------------- */

static void run_as_admin(const char *sql, const char *parameter, PGresult **ret_result)
{
	const struct db_statement statement = { "admin", sql };
	const struct db_args *args = parameter != NULL ? DB_ARGS(DB_TEXT(parameter)) : NULL;
	struct err e;

	assert_ok(db_query(admin, &statement, args, ret_result, &e), &e);
}

void admin_run(const char *sql, const char *parameter)
{
	run_as_admin(sql, parameter, NULL);
}

const char *admin_text(const char *sql, const char *parameter)
{
	CLEANUP(db_result_free) PGresult *r = NULL;
	static char text[4096];

	run_as_admin(sql, parameter, &r);
	const char *found = db_rows(r) > 0 ? db_text(r, 0, 0) : NULL;
	(void)snprintf(text, sizeof(text), "%s", found ? found : "");
	return text;
}

int64_t admin_int(const char *sql, const char *parameter)
{
	return strtoll(admin_text(sql, parameter), NULL, 10);
}

const char *told(const char *resource_id)
{
	return admin_text("SELECT status FROM resources WHERE id = $1", resource_id);
}

const char *project_told(const char *project_id)
{
	return admin_text("SELECT status FROM projects WHERE id = $1", project_id);
}

int64_t generation(const char *resource_id)
{
	return admin_int("SELECT generation FROM resources WHERE id = $1", resource_id);
}

/* ---- people and projects --------------------------------------------------------------------- */

struct person make_person(const char *name)
{
	struct person person;
	struct err e;

	assert_ok(user_register(auth, name, "$argon2id$hash", person.id, person.identity_id, &e),
		  &e);
	return person;
}

int seal_for_test(const void *user, const char *context, const void *plain, size_t length,
		  struct buf *ret_sealed, struct err *e)
{
	(void)user;
	(void)context;
	ck_assert_str_eq(plain, "kubeconfig");
	ck_assert_uint_eq(length, strlen(plain));
	return buf_append(ret_sealed, "sealed\0kubeconfig", 17, e);
}

void put_kubeconfig(const struct person *person, const char *namespace)
{
	const struct cluster_new k = { .id = person->id,
				       .user_id = person->id,
				       .name = CLUSTER_DEFAULT,
				       .server = "https://cluster.example:6443",
				       .namespace = namespace,
				       .account = "somebody" };
	struct err e;

	assert_ok(cluster_put(api, &k, "kubeconfig", seal_for_test, NULL, &e), &e);
}

struct person make_owner(const char *name)
{
	struct person person = make_person(name);
	char namespace[64];

	(void)snprintf(namespace, sizeof(namespace), "ns-%s", name);
	put_kubeconfig(&person, namespace);
	return person;
}

void make_parts(struct parts *parts, const char *seed)
{
	(void)snprintf(parts->id[0], sizeof(parts->id[0]), "%s",
		       admin_text("SELECT md5('sandbox' || $1)::uuid", seed));
	(void)snprintf(parts->id[1], sizeof(parts->id[1]), "%s",
		       admin_text("SELECT md5('database' || $1)::uuid", seed));
	parts->sandbox = (struct sandbox_new) { .id = parts->id[0],
						.terminal_token_sealed = "\0token",
						.terminal_token_sealed_length = 6 };
}

struct made_project make_project(const struct person *owner, const char *name, bool with_database)
{
	struct made_project made = { 0 };
	struct parts parts;
	struct err e;
	char seed[32];

	(void)snprintf(seed, sizeof(seed), "%s",
		       admin_text("SELECT 'p' || left(md5(random()::text), 12)", NULL));
	make_parts(&parts, seed);
	const struct project_new new = { .user_id = owner->id,
					 .name = name,
					 .kube_name = "made",
					 .sandbox = &parts.sandbox,
					 .database_id = with_database ? parts.id[1] : NULL };
	assert_ok(project_create(api, &new, made.id, &e), &e);
	memcpy(made.sandbox, parts.id[0], sizeof(made.sandbox));
	memcpy(made.database, parts.id[1], sizeof(made.database));
	return made;
}

/* ---- passes ---------------------------------------------------------------------------------- */

struct queue_rows claim(unsigned limit)
{
	const struct queue_claim c = {
		.worker = "test",
		.limit = limit,
		.per_user = 1000,
		.debtor_limit = limit,
		.lease_ms = 60000,
	};
	struct queue_rows rows;
	struct err e;

	assert_ok(queue_claim(reconcile, &c, &rows, &e), &e);
	return rows;
}

struct queue_result result_of(const struct queue_row *row, enum status status)
{
	return (struct queue_result) { .id = row->id,
				       .lease_epoch = row->lease_epoch,
				       .generation = row->generation,
				       .status = status,
				       .stage = STAGE_READY,
				       .due_in_ms = 3600000 };
}

static size_t reach_once(enum status status)
{
	CLEANUP(queue_rows_clear) struct queue_rows rows = claim(1000);
	struct queue_result results[1000];
	size_t stale = 0;
	struct err e;

	for (size_t i = 0; i < rows.count; i++)
		results[i] = result_of(&rows.items[i], status);
	assert_ok(queue_record(reconcile, results, rows.count, &stale, &e), &e);
	ck_assert_uint_eq(stale, 0);
	return rows.count;
}

void reach(enum status status)
{
	/* A database that becomes RUNNING wakes its sandbox, so more rows may be due. */
	while (reach_once(status) > 0)
		;
}

const struct queue_row *find_row(const struct queue_rows *rows, const char *id)
{
	for (size_t i = 0; i < rows->count; i++) {
		if (strcmp(rows->items[i].id, id) == 0)
			return &rows->items[i];
	}
	ck_abort_msg("row %s was not claimed", id);
	return NULL;
}
