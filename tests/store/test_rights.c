/* What each program must not be able to do, even when it is taken over. */
#include <string.h>

#include "db/migrate.h"
#include "support.h"

static const struct {
	struct db **program;
	struct db_statement statement;
} forbidden[] = {
	/* The web side cannot read a kubeconfig, a password or a provider's token. */
	{ &api, { "no_kubeconfig", "SELECT sealed FROM kubeconfigs" } },
	{ &api, { "no_kubeconfig_returned", "DELETE FROM kubeconfigs RETURNING sealed" } },
	{ &api, { "no_identities", "SELECT password_hash FROM identities" } },
	{ &auth, { "no_kubeconfigs", "SELECT sealed FROM kubeconfigs" } },
	{ &auth, { "no_kubeconfig_gone", "DELETE FROM kubeconfigs" } },
	{ &auth, { "no_projects", "SELECT id FROM projects" } },
	{ &auth, { "no_wake", "UPDATE resources SET due_at = now()" } },
	{ &reconcile, { "no_pending_logins", "SELECT * FROM pending_logins" } },
	{ &auth, { "no_environment", "SELECT value_sealed FROM environment" } },
	/* Nor pretend to be a pass. */
	{ &api, { "no_lease", "UPDATE resources SET leased_until = now(), leased_by = 'me'" } },
	{ &api, { "no_epoch", "UPDATE resources SET lease_epoch = 0" } },
	{ &api, { "no_move", "UPDATE resources SET namespace = 'kube-system'" } },
	{ &api, { "no_image", "UPDATE sandboxes SET image = 'mine', cpu_limit = '64'" } },
	{ &api, { "no_host", "UPDATE sandboxes SET app_host = 'somebody.else'" } },
	{ &api, { "no_connection", "UPDATE databases SET host = 'elsewhere'" } },
	{ &api, { "no_owner", "UPDATE projects SET user_id = gen_random_uuid()" } },
	/* Nor log in as somebody. */
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
	/* Nor claim to be a host that passes run on, or see which keys those have. */
	{ &api,
	  { "no_pass_host", "INSERT INTO pass_hosts (host, version, keys)"
			    " VALUES ('x', 'x', '{}')" } },
	{ &api, { "no_pass_host_keys", "SELECT keys FROM pass_hosts" } },
	{ &auth, { "no_pass_hosts", "SELECT FROM pass_hosts" } },
	/* The reconciler cannot change what is wanted, nor see people's secrets. */
	{ &reconcile, { "no_wish", "UPDATE resources SET desired = 'GONE'" } },
	{ &reconcile, { "no_generation", "UPDATE resources SET generation = 1" } },
	{ &reconcile, { "no_variable", "UPDATE environment SET value_sealed = 'x'" } },
	{ &reconcile, { "no_hashes", "SELECT password_hash FROM identities" } },
	{ &reconcile, { "no_replay", "SELECT body FROM idempotency" } },
	/* What tells the browsers sees nothing that they may not see, and changes nothing. */
	{ &fsa_events, { "no_token", "SELECT terminal_token_sealed FROM sandboxes" } },
	{ &fsa_events, { "no_names", "SELECT name FROM users" } },
	{ &fsa_events, { "no_sessions", "SELECT id_hash FROM sessions" } },
	{ &fsa_events, { "no_tokens", "SELECT token_hash FROM api_tokens" } },
	{ &fsa_events, { "no_status", "UPDATE projects SET status = 'RUNNING'" } },
	/* Nobody changes what happened, or the schema. */
	{ &api, { "no_audit_change", "UPDATE audit SET action = 'x'" } },
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
	tcase_add_test(c, every_program_can_tell_the_version_of_the_schema);
	suite_add_tcase(suite, c);
	return suite;
}
