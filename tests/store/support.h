#ifndef TESTS_STORE_SUPPORT_H
#define TESTS_STORE_SUPPORT_H

#include <stdbool.h>
#include <stdint.h>

#include <check.h>

#include "base/cleanup.h"
#include "db/db.h"
#include "store/cluster.h"
#include "store/config.h"
#include "store/project.h"
#include "store/queue.h"
#include "store/user.h"

/*
 * Tests of the store on a live PostgreSQL, started and migrated by test_store.py, which says in the
 * environment where it is. Each function runs as the role of the program that uses it, so that a
 * missing right fails a test. Each test begins with empty tables.
 *
 *   FSA_TEST_DATABASE  conninfo without a user, of PostgreSQL or of pgbouncer
 *   FSA_TEST_PREPARE   yes | no
 *   FSA_TEST_ADMIN     conninfo of the superuser, of PostgreSQL itself
 */
extern struct db *api, *auth, *reconcile, *fsa_events, *admin;

/* Opens a connection with this role. */
struct db *connect_as(const char *role, uint64_t timeout_ms);
bool prepares(void);

/* A suite whose tests all have the connections and empty tables. */
TCase *live_case(const char *name);

/* Runs SQL as the superuser, with one text parameter ($1) or none (NULL). */
void admin_run(const char *sql, const char *parameter);
/* Returns the first column of the first row; "" for NULL or no row. Valid until the next call. */
const char *admin_text(const char *sql, const char *parameter);
int64_t admin_int(const char *sql, const char *parameter);

struct person {
	char id[STORE_ID_LENGTH + 1];
	char identity_id[STORE_ID_LENGTH + 1];
};
struct person make_person(const char *name);
/* Makes a user with a kubeconfig for the namespace "ns-<name>". */
struct person make_owner(const char *name);
/* Makes "sealed\0kubeconfig" of "kubeconfig". */
store_seal_fn seal_for_test;
void put_kubeconfig(const struct person *person, const char *namespace);

/* The parts of a new project: ids of a sandbox and a database, made from `seed`. */
struct parts {
	char id[2][STORE_ID_LENGTH + 1];
	struct sandbox_new sandbox;
};
void make_parts(struct parts *parts, const char *seed);
struct made_project {
	char id[STORE_ID_LENGTH + 1];
	char sandbox[STORE_ID_LENGTH + 1];
	char database[STORE_ID_LENGTH + 1];
};
struct made_project make_project(const struct person *owner, const char *name, bool with_database);

static const struct queue_shard everybody = { 0 };

/* Claims up to `limit` rows, at most 1,000 per user. */
struct queue_rows claim(unsigned limit);
/* Returns a result with this status and nothing new; the row is due again in an hour. */
struct queue_result result_of(const struct queue_row *row, enum status status);
/* Claims everything that is due and records `status`, until nothing is due. */
void reach(enum status status);
const struct queue_row *find_row(const struct queue_rows *rows, const char *id);

/* The stored status of a resource or project. */
const char *told(const char *resource_id);
const char *project_told(const char *project_id);
int64_t generation(const char *resource_id);

void assert_ok(int done, const struct err *e);
void assert_fails(int done, const struct err *e, enum err_kind kind, const char *code);

Suite *db_suite(void);
Suite *words_suite(void);
Suite *people_suite(void);
Suite *project_suite(void);
Suite *desired_suite(void);
Suite *queue_suite(void);
Suite *rights_suite(void);
Suite *hosts_suite(void);
Suite *shards_suite(void);
Suite *spending_suite(void);
Suite *lifetime_suite(void);
Suite *live_suite(void);
Suite *kubeconfig_check_suite(void);
Suite *clusters_suite(void);

#endif
