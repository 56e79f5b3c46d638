/* Tests what programs must not be able to do, even if an attacker controls them. */
#include <string.h>

#include "db/migrate.h"
#include "support.h"

static const struct {
	struct db **program;
	struct db_statement statement;
} forbidden[] = {
	/* The web side cannot read a kubeconfig, a password or a provider's token. */
	{ &api, { "no_kubeconfig", "SELECT sealed FROM clusters" } },
	{ &api, { "no_former_kubeconfig", "SELECT sealed FROM kubeconfigs" } },
	{ &api, { "no_kubeconfig_returned", "DELETE FROM clusters RETURNING sealed" } },
	{ &api, { "no_identities", "SELECT password_hash FROM identities" } },
	{ &auth, { "no_kubeconfigs", "SELECT sealed FROM clusters" } },
	{ &auth, { "no_kubeconfig_gone", "DELETE FROM clusters" } },
	{ &auth, { "no_projects", "SELECT id FROM projects" } },
	{ &auth, { "no_wake", "UPDATE resources SET due_at = now()" } },
	{ &reconcile, { "no_pending_logins", "SELECT * FROM pending_logins" } },
	{ &auth, { "no_environment", "SELECT value_sealed FROM environment" } },
	/* Nor act as a pass. */
	{ &api, { "no_lease", "UPDATE resources SET leased_until = now(), leased_by = 'me'" } },
	{ &api, { "no_epoch", "UPDATE resources SET lease_epoch = 0" } },
	{ &api, { "no_move", "UPDATE resources SET namespace = 'kube-system'" } },
	{ &api, { "no_image", "UPDATE sandboxes SET image = 'mine', cpu_limit = '64'" } },
	{ &api, { "no_host", "UPDATE sandboxes SET app_host = 'somebody.else'" } },
	{ &api, { "no_connection", "UPDATE databases SET host = 'elsewhere'" } },
	{ &api, { "no_owner", "UPDATE projects SET user_id = gen_random_uuid()" } },
	{ &api, { "no_finished_row", "INSERT INTO resources (status) VALUES ('RUNNING')" } },
	{ &api, { "no_made_connection", "INSERT INTO databases (host) VALUES ('elsewhere')" } },
	{ &api, { "no_other_project", "UPDATE environment SET project_id = gen_random_uuid()" } },
	{ &api, { "no_other_setting", "UPDATE user_config SET user_id = gen_random_uuid()" } },
	{ &api, { "no_other_cluster", "UPDATE clusters SET user_id = gen_random_uuid()" } },
	{ &api, { "no_moved_project", "UPDATE projects SET cluster_id = NULL" } },
	{ &api,
	  { "no_cluster_setting", "INSERT INTO cluster_settings (server) VALUES ('https://a')" } },
	{ &api, { "no_ingress_class", "UPDATE resources SET ingress_class = 'mine'" } },
	{ &api, { "no_option", "UPDATE operator_options SET value = 'mine'" } },
	{ &auth, { "no_option", "UPDATE operator_options SET value = 'mine'" } },
	{ &auth, { "no_other_person", "UPDATE identities SET user_id = gen_random_uuid()" } },
	{ &auth, { "no_old_session", "UPDATE sessions SET created_at = 'epoch'" } },
	{ &auth, { "no_longer_session", "UPDATE sessions SET expires_at = 'infinity'" } },
	/* Nor log in as a user. */
	{ &api,
	  { "no_session", "INSERT INTO sessions (id_hash, user_id, identity_id, expires_at)"
			  " VALUES (sha256('x'), gen_random_uuid(), gen_random_uuid(), now())" } },
	{ &api,
	  { "no_api_token",
	    "INSERT INTO api_tokens (token_hash, user_id, identity_id, name, can_write,"
	    "  expires_at)"
	    " VALUES (sha256('x'), gen_random_uuid(), gen_random_uuid(), 'x', true, now())" } },
	{ &api, { "no_wider_scope", "UPDATE api_tokens SET can_write = true" } },
	{ &api, { "no_throttle", "DELETE FROM login_throttle" } },
	{ &api, { "no_provider_ids", "SELECT provider_user_id FROM identities" } },
	{ &api, { "no_prolonging", "UPDATE sessions SET expires_at = now()" } },
	{ &api, { "no_user", "INSERT INTO users (name) VALUES ('x')" } },
	/* Nor claim to be a host that runs passes, or see which keys those have. */
	{ &api,
	  { "no_pass_host", "INSERT INTO pass_hosts (host, version, keys)"
			    " VALUES ('x', 'x', '{}')" } },
	{ &api, { "no_pass_host_keys", "SELECT keys FROM pass_hosts" } },
	{ &auth, { "no_pass_hosts", "SELECT FROM pass_hosts" } },
	/* The reconciler cannot change the desired state, nor read users' secrets. */
	{ &reconcile, { "no_wish", "UPDATE resources SET desired = 'GONE'" } },
	{ &reconcile, { "no_generation", "UPDATE resources SET generation = 1" } },
	{ &reconcile, { "no_variable", "UPDATE environment SET value_sealed = 'x'" } },
	{ &reconcile, { "no_hashes", "SELECT password_hash FROM identities" } },
	{ &reconcile, { "no_replay", "SELECT body FROM idempotency" } },
	/* fsa-events sees only what browsers may see, and changes nothing. */
	{ &fsa_events, { "no_token", "SELECT terminal_token_sealed FROM sandboxes" } },
	{ &fsa_events, { "no_names", "SELECT name FROM users" } },
	{ &fsa_events, { "no_sessions", "SELECT id_hash FROM sessions" } },
	{ &fsa_events, { "no_tokens", "SELECT token_hash FROM api_tokens" } },
	{ &fsa_events, { "no_status", "UPDATE projects SET status = 'RUNNING'" } },
	/* Nobody can change the history or the schema. */
	{ &api, { "no_audit_change", "UPDATE audit SET action = 'x'" } },
	{ &api, { "no_old_line", "INSERT INTO audit (action, at) VALUES ('x', 'epoch')" } },
	{ &auth, { "no_old_line", "INSERT INTO audit (action, at) VALUES ('x', 'epoch')" } },
	{ &reconcile, { "no_old_event", "INSERT INTO events (at) VALUES ('epoch')" } },
	{ &auth, { "no_audit_delete", "DELETE FROM audit" } },
	{ &reconcile, { "no_audit_gone", "DELETE FROM audit" } },
	{ &api, { "no_audit_pruned", "SELECT prune_audit(interval '1 year')" } },
	{ &reconcile, { "no_event_change", "UPDATE events SET message = 'x'" } },
	{ &api, { "no_event_change", "DELETE FROM events" } },
	{ &api, { "no_table", "CREATE TABLE mine (id integer)" } },
	{ &auth, { "no_migration", "DELETE FROM schema_migrations" } },
};

START_TEST(a_program_has_no_right_it_does_not_need)
{
	struct err e;

	for (size_t i = 0; i < ARRAY_SIZE(forbidden); i++) {
		const struct db_statement *statement = &forbidden[i].statement;
		ck_assert_msg(db_query(*forbidden[i].program, statement, NULL, NULL, &e) == -1,
			      "%s", statement->name);
		ck_assert_msg(strstr(e.message, "42501") != NULL, "%s: %s", statement->name,
			      e.message);
		ck_assert_int_eq(e.kind, ERR_INTERNAL);
	}
}
END_TEST

/* fsa_api could otherwise, with three statements, make a pod of any size and image, with any host,
 * in another user's namespace. */
START_TEST(inserted_rows_get_the_operators_values_and_the_owners_namespace)
{
	struct person mallory = make_owner("mallory");
	struct err e;
	static const struct db_statement resource = {
		"attack_resource",
		"WITH p AS (INSERT INTO projects (user_id, name, kube_name)"
		" VALUES ($1, 'x', 'mine') RETURNING id, user_id)"
		" INSERT INTO resources (id, project_id, user_id, kind, name, namespace, server)"
		" SELECT md5('attack' || kind)::uuid, id, user_id, kind, 'victims-own-' ||"
		"  lower(kind::text), 'ns-victim', 'https://victim.example'"
		" FROM p, unnest(enum_range(NULL::resource_kind)) AS kind"
	};
	static const struct db_statement sandbox = {
		"attack_sandbox",
		"INSERT INTO sandboxes (resource_id, app_host, ttyd_host, terminal_token_sealed,"
		" image, home_size, cpu_request, cpu_limit, memory_request, memory_limit,"
		" storage_limit) VALUES (md5('attackSANDBOX')::uuid, 'www.bank.example', 'x', 'x',"
		" 'evil:1', '9Ti', '64', '64', '512Gi', '512Gi', '9Ti')"
	};
	static const struct db_statement database = {
		"attack_database",
		"INSERT INTO databases (resource_id, version, storage_size, cpu_request,"
		" cpu_limit, memory_request, memory_limit)"
		" VALUES (md5('attackDATABASE')::uuid, 'evil', '9Ti', '64', '64', '512Gi', '512Gi')"
	};

	assert_ok(db_query(api, &resource, DB_ARGS(DB_TEXT(mallory.id)), NULL, &e), &e);
	assert_ok(db_query(api, &sandbox, NULL, NULL, &e), &e);
	assert_ok(db_query(api, &database, NULL, NULL, &e), &e);
	ck_assert_str_eq(admin_text("SELECT string_agg(DISTINCT namespace || ' ' || server, ',')"
				    " FROM resources",
				    NULL),
			 "ns-mallory https://cluster.example:6443");
	ck_assert_str_eq(admin_text("SELECT string_agg(regexp_replace(name, '[a-z]{6}$', 'N'), ' '"
				    " ORDER BY kind) FROM resources",
				    NULL),
			 "mine-agentruntime-N mine-db-N");
	ck_assert_str_eq(admin_text("SELECT concat_ws(' ', image, home_size, cpu_request,"
				    " cpu_limit, memory_request, memory_limit, storage_limit)"
				    " FROM sandboxes",
				    NULL),
			 "image:1 1Gi 20m 200m 25Mi 256Mi 1Gi");
	ck_assert_str_eq(admin_text("SELECT regexp_replace(app_host, '^[a-z]{12}\\.', '') || ' ' ||"
				    " regexp_replace(ttyd_host, '^[a-z]{12}-ttyd\\.', '')"
				    " FROM sandboxes",
				    NULL),
			 "apps.example apps.example");
	ck_assert_str_eq(admin_text("SELECT concat_ws(' ', version, storage_size, cpu_request,"
				    " cpu_limit, memory_request, memory_limit) FROM databases",
				    NULL),
			 "postgresql-14.8.0 3Gi 100m 1000m 102Mi 1024Mi");
}
END_TEST

START_TEST(without_the_operators_options_nothing_is_made)
{
	struct person owner = make_owner("alice");
	struct parts parts;
	struct err e;
	char id[STORE_ID_LENGTH + 1];

	make_parts(&parts, "x");
	const struct project_new new = {
		.user_id = owner.id, .name = "shop", .kube_name = "shop", .sandbox = &parts.sandbox
	};
	admin_run("UPDATE operator_options SET name = 'x' WHERE name = 'ingress_domain'", NULL);
	int done = project_create(api, &new, id, &e);
	admin_run("UPDATE operator_options SET name = 'ingress_domain' WHERE name = 'x'", NULL);
	ck_assert_int_eq(done, -1);
	ck_assert_int_eq(e.kind, ERR_INTERNAL);
	ck_assert_msg(strstr(e.message, "ingress_domain is not set") != NULL, "%s", e.message);
	ck_assert_int_eq(admin_int("SELECT count(*) FROM projects", NULL), 0);
}
END_TEST

START_TEST(every_program_can_tell_the_version_of_the_schema)
{
	struct db *programs[] = { api, auth, reconcile, fsa_events };
	struct err e;

	for (size_t i = 0; i < ARRAY_SIZE(programs); i++)
		assert_ok(migrate_check(programs[i], &e), &e);
	admin_run("UPDATE schema_migrations SET version = -version", NULL);
	int done = migrate_check(api, &e);
	admin_run("UPDATE schema_migrations SET version = -version", NULL);
	assert_fails(done, &e, ERR_UNAVAILABLE, "SCHEMA_OUTDATED");
}
END_TEST

Suite *rights_suite(void)
{
	Suite *suite = suite_create("rights");
	TCase *c = live_case("rights");

	tcase_add_test(c, a_program_has_no_right_it_does_not_need);
	tcase_add_test(c, inserted_rows_get_the_operators_values_and_the_owners_namespace);
	tcase_add_test(c, without_the_operators_options_nothing_is_made);
	tcase_add_test(c, every_program_can_tell_the_version_of_the_schema);
	suite_add_tcase(suite, c);
	return suite;
}
