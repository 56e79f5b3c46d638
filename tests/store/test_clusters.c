/* Tests users with several clusters: where projects are, and what concerns which of them. */
#include <stdio.h>
#include <string.h>

#include "store/kubeconfig_check.h"
#include "support.h"

static const char elsewhere[] = "11111111-1111-4111-8111-111111111111";

/* Stores a kubeconfig for the namespace "ns-<name>" of another server. */
static int put_cluster(struct db *db, const char *id, const struct person *owner, const char *name,
		       struct err *e)
{
	char namespace[64];
	const struct cluster_new cluster = { .id = id,
					     .user_id = owner->id,
					     .name = name,
					     .server = "https://elsewhere.example:6443",
					     .namespace = namespace,
					     .account = "somebody" };

	(void)snprintf(namespace, sizeof(namespace), "ns-%s", name);
	return cluster_put(db, &cluster, "kubeconfig", seal_for_test, NULL, e);
}

/* Makes a project in the cluster `elsewhere` of its owner. */
static struct made_project make_project_elsewhere(const struct person *owner)
{
	struct made_project made = make_project(owner, "far", true);

	admin_run("UPDATE projects SET cluster_id = '11111111-1111-4111-8111-111111111111'"
		  " WHERE id = $1",
		  made.id);
	return made;
}

static const char *place(const char *resource_id)
{
	return admin_text("SELECT server || ' ' || namespace FROM resources WHERE id = $1",
			  resource_id);
}

START_TEST(a_row_is_claimed_with_the_kubeconfig_of_its_projects_cluster)
{
	struct person owner = make_owner("alice");
	struct made_project near = make_project(&owner, "near", false), far;
	struct err e;

	assert_ok(put_cluster(api, elsewhere, &owner, "tokyo", &e), &e);
	assert_ok(put_cluster(api, elsewhere, &owner, "tokyo", &e), &e); /* version 2 */
	far = make_project_elsewhere(&owner);
	struct queue_rows rows = claim(10);
	ck_assert_uint_eq(rows.count, 3);
	ck_assert_str_eq(find_row(&rows, near.sandbox)->cluster_id, owner.id);
	ck_assert_int_eq(find_row(&rows, near.sandbox)->kubeconfig_version, 1);
	ck_assert_str_eq(find_row(&rows, far.sandbox)->cluster_id, elsewhere);
	ck_assert_int_eq(find_row(&rows, far.sandbox)->kubeconfig_version, 2);
	ck_assert_str_eq(find_row(&rows, far.database)->cluster_id, elsewhere);
	queue_rows_clear(&rows);
}
END_TEST

START_TEST(what_is_added_later_is_placed_where_its_project_is)
{
	struct person owner = make_owner("alice");
	struct made_project made = make_project(&owner, "shop", false);
	struct parts parts;
	struct err e;

	make_parts(&parts, "later");
	assert_ok(put_cluster(api, owner.id, &owner, CLUSTER_DEFAULT, &e), &e);
	assert_ok(sandbox_add(api, owner.id, made.id, &parts.sandbox, &e), &e);
	assert_ok(database_add(api, owner.id, made.id, parts.id[1], &e), &e);
	ck_assert_str_eq(place(parts.id[0]), "https://cluster.example:6443 ns-alice");
	ck_assert_str_eq(place(parts.id[1]), "https://cluster.example:6443 ns-alice");
	made = make_project(&owner, "new", false);
	ck_assert_str_eq(place(made.sandbox), "https://elsewhere.example:6443 ns-default");
}
END_TEST

START_TEST(what_is_added_to_an_empty_project_is_placed_in_its_cluster)
{
	struct person owner = make_owner("alice");
	struct parts parts;
	struct err e;

	assert_ok(put_cluster(api, elsewhere, &owner, "tokyo", &e), &e);
	struct made_project made = make_project_elsewhere(&owner);
	admin_run("DELETE FROM resources WHERE project_id = $1", made.id);
	make_parts(&parts, "later");
	assert_ok(sandbox_add(api, owner.id, made.id, &parts.sandbox, &e), &e);
	ck_assert_str_eq(place(parts.id[0]), "https://elsewhere.example:6443 ns-tokyo");
}
END_TEST

static int64_t due_of(const struct made_project *made)
{
	return admin_int("SELECT count(*) FROM resources WHERE project_id = $1 AND due_at <= now()",
			 made->id);
}

START_TEST(a_replaced_kubeconfig_makes_due_what_is_in_its_cluster)
{
	struct person owner = make_owner("alice");
	struct err e;

	assert_ok(put_cluster(api, elsewhere, &owner, "tokyo", &e), &e);
	struct made_project near = make_project(&owner, "near", true);
	struct made_project far = make_project_elsewhere(&owner);
	reach(STATUS_RUNNING);
	assert_ok(put_cluster(api, elsewhere, &owner, "tokyo", &e), &e);
	ck_assert_int_eq(due_of(&near), 0);
	ck_assert_int_eq(due_of(&far), 2);
	reach(STATUS_RUNNING);
	put_kubeconfig(&owner, "ns-alice");
	ck_assert_int_eq(due_of(&near), 2);
	ck_assert_int_eq(due_of(&far), 0);
}
END_TEST

START_TEST(each_cluster_is_checked)
{
	struct person owner = make_owner("alice");
	const struct kubeconfig_check_claim claim = { .limit = 10,
						      .slow_limit = 10,
						      .lease_ms = 60000 };
	CLEANUP(kubeconfig_checks_clear) struct kubeconfig_checks checks = { 0 };
	CLEANUP(json_decrefp) json_t *findings = json_array(), *check = NULL, *other = NULL;
	struct err e;

	assert_ok(put_cluster(api, elsewhere, &owner, "tokyo", &e), &e);
	assert_ok(kubeconfig_check_claim(reconcile, &claim, &checks, &e), &e);
	ck_assert_uint_eq(checks.count, 2);
	bool first = strcmp(checks.items[0].cluster_id, elsewhere) == 0;
	const struct kubeconfig_check *far = &checks.items[first ? 0 : 1];
	ck_assert_str_eq(far->cluster_id, elsewhere);
	ck_assert_str_eq(far->user_id, owner.id);
	assert_ok(kubeconfig_check_record(reconcile, far, findings, 1, &e), &e);
	assert_ok(kubeconfig_check_get(api, elsewhere, &check, &e), &e);
	assert_ok(kubeconfig_check_get(api, owner.id, &other, &e), &e);
	ck_assert_str_eq(json_string_value(json_object_get(check, "state")), "done");
	ck_assert_str_eq(json_string_value(json_object_get(other, "state")), "running");
}
END_TEST

START_TEST(nobody_is_in_somebody_elses_cluster)
{
	struct person owner = make_owner("alice"), other = make_owner("mallory");
	static const struct db_statement move = {
		"move", "INSERT INTO projects (user_id, name, kube_name, cluster_id)"
			" VALUES ($1, 'mine', 'mine', $2)"
	};
	struct err e;

	assert_ok(put_cluster(api, elsewhere, &owner, "tokyo", &e), &e);
	ck_assert_int_lt(
		db_query(api, &move, DB_ARGS(DB_TEXT(other.id), DB_TEXT(elsewhere)), NULL, &e), 0);
	ck_assert_ptr_nonnull(strstr(e.message, "projects_cluster"));
	ck_assert_int_lt(
		db_query(api, &move, DB_ARGS(DB_TEXT(other.id), DB_TEXT(owner.id)), NULL, &e), 0);
	ck_assert_int_lt(put_cluster(api, owner.id, &other, "tokyo", &e), 0);
	ck_assert_int_eq(admin_int("SELECT count(*) FROM clusters WHERE user_id = $1", other.id),
			 1);
	ck_assert_int_eq(admin_int("SELECT version FROM clusters WHERE id = $1", owner.id), 1);
}
END_TEST

/* The statements are those of the version before this one. */
START_TEST(programs_of_the_former_version_see_the_default_cluster)
{
	struct person owner = make_owner("alice");
	static const struct db_statement put = {
		"former_put", "INSERT INTO kubeconfigs AS k (user_id, sealed, server, namespace,"
			      "  account, expires_at)"
			      " VALUES ($1, 'sealed', 'https://new.example', 'ns-new', 'new', NULL)"
			      " ON CONFLICT (user_id) DO UPDATE SET sealed = 'sealed',"
			      "  server = excluded.server, namespace = excluded.namespace,"
			      "  account = excluded.account, expires_at = excluded.expires_at,"
			      "  version = k.version + 1, updated_at = now()"
	};
	static const struct db_statement claim_checks = {
		"former_claim",
		"WITH free AS ("
		" SELECT c.user_id FROM kubeconfig_checks c WHERE c.due_at <= now()"
		" FOR UPDATE OF c SKIP LOCKED"
		"), claimed AS ("
		" UPDATE kubeconfig_checks c SET lease_epoch = lease_epoch + 1, due_at = now()"
		" FROM free WHERE c.user_id = free.user_id RETURNING c.*"
		") SELECT k.user_id FROM claimed c JOIN kubeconfigs k USING (user_id)"
	};
	CLEANUP(db_result_free) PGresult *checks = NULL;
	struct person other = make_person("bob");
	struct err e;

	assert_ok(put_cluster(api, elsewhere, &owner, "tokyo", &e), &e);
	assert_ok(db_query(api, &put, DB_ARGS(DB_TEXT(owner.id)), NULL, &e), &e);
	assert_ok(db_query(auth, &put, DB_ARGS(DB_TEXT(other.id)), NULL, &e), &e);
	ck_assert_int_eq(admin_int("SELECT version FROM clusters WHERE id = $1", owner.id), 2);
	ck_assert_str_eq(admin_text("SELECT name FROM clusters WHERE user_id = $1", other.id),
			 CLUSTER_DEFAULT);
	assert_ok(db_query(reconcile, &claim_checks, NULL, &checks, &e), &e);
	ck_assert_int_eq(db_rows(checks), 2);
}
END_TEST

Suite *clusters_suite(void)
{
	Suite *suite = suite_create("clusters");
	TCase *c = live_case("clusters");

	tcase_add_test(c, a_row_is_claimed_with_the_kubeconfig_of_its_projects_cluster);
	tcase_add_test(c, what_is_added_later_is_placed_where_its_project_is);
	tcase_add_test(c, what_is_added_to_an_empty_project_is_placed_in_its_cluster);
	tcase_add_test(c, a_replaced_kubeconfig_makes_due_what_is_in_its_cluster);
	tcase_add_test(c, each_cluster_is_checked);
	tcase_add_test(c, nobody_is_in_somebody_elses_cluster);
	tcase_add_test(c, programs_of_the_former_version_see_the_default_cluster);
	suite_add_tcase(suite, c);
	return suite;
}
