#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <check.h>

#include "base/cleanup.h"
#include "base/conf.h"
#include "base/err.h"
#include "base/mem.h"

static char config_path[] = "/tmp/fsa-test-conf-XXXXXX";

static void make_file(void)
{
	(void)strcpy(config_path, "/tmp/fsa-test-conf-XXXXXX");
	int fd = mkstemp(config_path);
	ck_assert_int_ge(fd, 0);
	close(fd);
}

static void remove_file(void)
{
	(void)unlink(config_path);
}

static void write_file(const char *text)
{
	FILE *file = fopen(config_path, "w");

	ck_assert_ptr_nonnull(file);
	ck_assert(fputs(text, file) >= 0);
	ck_assert_int_eq(fclose(file), 0);
}

static int load(const char *text, struct conf **ret_conf, struct err *e)
{
	write_file(text);
	return conf_load(config_path, ret_conf, e);
}

/* It comes last, so that the line numbers of the text stay the same. */
static int load_with_domain(const char *text, struct conf **ret_conf, struct err *e)
{
	CLEANUP(cleanup_free) char *whole = mem_printf("%singress_domain = a.example\n", text);

	return load(whole, ret_conf, e);
}

START_TEST(a_configuration_file_is_read_and_its_mistakes_are_named)
{
	CLEANUP(conf_freep) struct conf *c = NULL;
	struct err e;
	struct conf *none = NULL;
	static const struct {
		const char *text;
		const char *message;
	} bad[] = {
		{ "no_such = 1\n", ":1: no_such: no such option" },
		{ "no_such = 1\nmode = production\n", ":1: no_such: no such option" },
		{ "mode = production\nmode = production\n", ":2: mode: given twice" },
		{ "resync = 3\n", "is not a duration" },
		{ "sandbox_cpu_limit = much\n", "is not a quantity" },
		{ "rows_in_flight = 0\n", "is not a number from 1 to 10000" },
		{ "mode = fast\n", "is not one of: production development" },
		{ "[section]\nmode = production\n", "no sections" },
		{ "nonsense\n", ":1: not a line of" },
	};

	ck_assert_int_eq(load("# comment\nmode = development\nresync = 1h ; often enough\n"
			      "ingress_domain = apps.example.org\n"
			      "database = host=/run dbname=fsa\n",
			      &c, &e),
			 0);
	ck_assert_str_eq(conf_string(c, CONF_MODE), "development");
	ck_assert_str_eq(conf_string(c, CONF_DATABASE), "host=/run dbname=fsa");
	ck_assert_uint_eq(conf_number(c, CONF_RESYNC), 3600000);
	ck_assert(conf_bool(c, CONF_DATABASE_PREPARE));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		ck_assert_int_eq(load_with_domain(bad[i].text, &none, &e), -1);
		ck_assert_msg(strstr(e.message, bad[i].message) != NULL, "%s", e.message);
	}
}
END_TEST

START_TEST(a_credential_takes_precedence_over_the_configured_file)
{
	CLEANUP(conf_freep) struct conf *without = NULL;
	CLEANUP(conf_freep) struct conf *with = NULL;
	char directory[] = "/tmp/fsa-test-XXXXXX";
	char path[sizeof(directory) + 16];
	struct err e;

	ck_assert_ptr_nonnull(mkdtemp(directory));
	(void)snprintf(path, sizeof(path), "%s/owner.key", directory);
	ck_assert_int_eq(setenv("CREDENTIALS_DIRECTORY", directory, 1), 0);
	ck_assert_int_eq(conf_load(NULL, &without, &e), 0);
	FILE *file = fopen(path, "we");
	ck_assert_ptr_nonnull(file);
	(void)fclose(file);
	ck_assert_int_eq(conf_load(NULL, &with, &e), 0);

	const char *configured = conf_spec(CONF_OWNER_PRIVATE_KEY_FILE)->default_value;
	ck_assert_str_eq(conf_string(without, CONF_OWNER_PRIVATE_KEY_FILE), configured);
	ck_assert_str_eq(conf_string(with, CONF_OWNER_PRIVATE_KEY_FILE), path);
	ck_assert_str_eq(conf_string(with, CONF_CLUSTER_PRIVATE_KEY_FILE),
			 conf_spec(CONF_CLUSTER_PRIVATE_KEY_FILE)->default_value);
	(void)unlink(path);
	(void)rmdir(directory);
	(void)unsetenv("CREDENTIALS_DIRECTORY");
}
END_TEST

/* ---- all problems at once -------------------------------------------------------------------- */

START_TEST(all_that_is_wrong_with_a_file_is_said_at_once_with_its_lines)
{
	static const struct {
		unsigned line;
		bool warning;
		const char *message;
	} expected[] = {
		{ 0, false, "ingress_domain: is not set" },
		{ 1, false, "pubic_url: no such option; did you mean public_url?" },
		{ 2, false, "xyzzy: no such option" },
		{ 3, false, "home_size: \"10GB\" is not a quantity" },
		{ 4, false, "log_level: has no value" },
		{ 5, false, "github_client_id is set, and github_client_secret_file is not" },
		{ 6, true, "session_idle is longer than session_lifetime" },
		{ 7, false, "not a line of" },
		{ 8, false, "log_level: given twice, first in line 4" },
		{ 9, false, "t?l: no such option" },
	};
	CLEANUP(conf_problems_clear) struct conf_problems problems;
	CLEANUP(conf_freep) struct conf *c = NULL;
	struct conf *none = NULL;
	struct err e;

	write_file("pubic_url = https://a.example\nxyzzy = 1\nhome_size = 10GB\nlog_level =\n"
		   "github_client_id = abc\nsession_idle = 30d\nnonsense\nlog_level = info\n"
		   "t\x01l = 1\n");
	conf_read(config_path, &c, &problems);
	ck_assert_uint_eq(problems.count, ARRAY_SIZE(expected));
	ck_assert_uint_eq(problems.errors, ARRAY_SIZE(expected) - 1);
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		const struct conf_problem *p = &problems.list[i];
		ck_assert_msg(strstr(p->message, expected[i].message) == p->message, "%s",
			      p->message);
		ck_assert_uint_eq(p->line, expected[i].line);
		ck_assert_int_eq(p->warning, expected[i].warning);
	}
	ck_assert_int_eq(conf_load(config_path, &none, &e), -1);
	ck_assert_ptr_nonnull(strstr(e.message, "9 errors (fsactl config check), the first"));
}
END_TEST

START_TEST(values_of_every_type_are_checked)
{
	static const struct {
		const char *option, *right, *wrong;
	} values[] = {
		{ "oidc_name", "Our \xc3\x84mter", "\xff" },
		{ "projects_per_user", "1", "1.5" },
		{ "resync", "90s", "90" },
		{ "database_prepare", "off", "maybe" },
		{ "log_level", "debug", "verbose" },
		{ "storage_class", "openebs-hostpath", "Open EBS" },
		{ "postgres_version", "postgresql-14.8.0", "postgresql_14" },
		{ "home_size", "1.5Gi", "1.5GiB" },
		{ "home_size", "20Gi", "0" },
		{ "sandbox_cpu_request", "0.1", "-1" },
		{ "runtime_image", "alpine", "Alpine" },
		{ "runtime_image", "localhost:5000/a/b:v1.2_3", "localhost:5000/a/b:" },
		{ "runtime_image",
		  "r.example/a/b@sha256:"
		  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
		  "https://r.example/a/b:1" },
		{ "kube_allow_addresses", "10.0.0.0/8  fd00::/8 127.0.0.1", "10.0.0.0/33" },
		{ "provider_allow_addresses", "10.0.0.1", "10.0.0.0/8, 10.1.0.0/16" },
		{ "public_url", "https://Agent.example.org:8443/", "agent.example.org" },
		{ "public_url", "http://[::1]:8080", "https://agent.example.org/app" },
		{ "public_url", "http://127.0.0.1:8080", "https://me@agent.example.org" },
		{ "github_url", "https://git.example.org", "http://git.example.org" },
		{ "oidc_issuer", "https://id.example.org/realms/x", "https://" },
		{ "events_database", "postgresql://h/d", "hots=h" },
		{ "wake_file", "/run/wake", "run/wake" },
		{ "operator_env_file", "/etc/env", "env" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		CLEANUP(cleanup_free)
		char *right = mem_printf("%s = %s\n", values[i].option, values[i].right);
		CLEANUP(cleanup_free)
		char *wrong = mem_printf("%s = %s\n", values[i].option, values[i].wrong);
		CLEANUP(conf_freep) struct conf *c = NULL;
		struct conf *none = NULL;
		struct err e = { 0 };
		ck_assert_msg(load_with_domain(right, &c, &e) == 0, "%s", e.message);
		ck_assert_msg(load_with_domain(wrong, &none, &e) < 0, "%s", wrong);
		ck_assert_msg(strstr(e.message, values[i].option) != NULL, "%s", e.message);
	}
}
END_TEST

START_TEST(options_that_do_not_go_together_are_named)
{
	static const struct {
		const char *text;
		bool warning;
		const char *message;
	} wrong[] = {
		{ "oidc_client_id = x\n", false, "oidc_client_secret_file is not" },
		{ "oidc_client_secret_file = /x\n", true, "no use without oidc_client_id" },
		{ "oidc_client_id = x\noidc_client_secret_file = /x\noidc_scope = profile\n", false,
		  "oidc_scope has to hold the word openid" },
		{ "frame_ancestors = https://x.example\n", false, "needs a public_url of https" },
		{ "public_url = http://agent.example.org\n", true, "public_url is not https" },
		{ "kube_request_timeout = 10s\n", false, "lease_time must be at least 4 times" },
		{ "rows_in_flight = 8\nrows_per_user = 9\n", true, "rows_per_user is more than" },
		{ "rows_in_flight = 3\n", true, "rows_in_flight = 3 is less than shards = 4" },
		{ "rows_in_flight = 5000\n", true, "kube_memory is little for" },
		{ "kube_body_max = 1073741824\nkube_memory = 536870912\n", true,
		  "kube_body_max is more than kube_memory" },
		{ "sandbox_memory_limit = 16Mi\n", false, "sandbox_memory_request (25Mi)" },
		{ "postgres_cpu_request = 2\n", false, "more than postgres_cpu_limit" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		CLEANUP(conf_problems_clear) struct conf_problems problems;
		CLEANUP(conf_freep) struct conf *c = NULL;
		CLEANUP(cleanup_free)
		char *text = mem_printf("%singress_domain = a.example\n", wrong[i].text);
		write_file(text);
		conf_read(config_path, &c, &problems);
		ck_assert_uint_eq(problems.count, 1);
		ck_assert_msg(strstr(problems.list[0].message, wrong[i].message) != NULL, "%s",
			      problems.list[0].message);
		ck_assert_uint_gt(problems.list[0].line, 0);
		ck_assert_int_eq(problems.list[0].warning, wrong[i].warning);
	}
}
END_TEST

START_TEST(required_options_are_required_of_services_only)
{
	CLEANUP(conf_freep) struct conf *c = NULL;
	struct conf *none = NULL;
	struct err e;

	ck_assert_int_eq(load("mode = development\n", &c, &e), 0);
	ck_assert_int_eq(conf_load_logged(config_path, &none, &e), -1);
	ck_assert_ptr_nonnull(strstr(e.message, "ingress_domain: is not set"));
}
END_TEST

START_TEST(a_value_says_where_it_comes_from_and_never_a_password)
{
	CLEANUP(conf_freep) struct conf *c = NULL;
	struct err e;

	ck_assert_int_eq(load_with_domain("\n# x\ndatabase = postgresql://u:geheim@h/d\n", &c, &e),
			 0);
	CLEANUP(cleanup_free) char *shown = conf_text_to_show(c, CONF_DATABASE);
	ck_assert_ptr_null(strstr(shown, "geheim"));
	ck_assert_ptr_nonnull(strstr(shown, "password=(set)"));
	ck_assert_ptr_nonnull(strstr(shown, "host=h"));
	ck_assert_uint_eq(conf_line(c, CONF_DATABASE), 3);
	ck_assert_uint_eq(conf_line(c, CONF_RESYNC), 0);
	ck_assert_ptr_null(conf_text_to_show(c, CONF_STORAGE_CLASS));
}
END_TEST

START_TEST(a_wrong_connection_string_is_not_quoted)
{
	struct conf *none = NULL;
	struct err e;

	ck_assert_int_lt(load_with_domain("database = hots=h password=geheim\n", &none, &e), 0);
	ck_assert_ptr_null(strstr(e.message, "geheim"));
}
END_TEST

START_TEST(every_option_has_a_name_help_and_a_valid_default)
{
	CLEANUP(conf_freep) struct conf *c = NULL;
	struct err e;

	ck_assert_int_eq(conf_load(NULL, &c, &e), 0);
	for (int i = 0; i < CONF_OPTION_COUNT; i++) {
		const struct conf_spec *spec = conf_spec((enum conf_option)i);
		ck_assert_ptr_nonnull(spec->name);
		ck_assert_ptr_nonnull(spec->help);
		for (int j = 0; j < i; j++)
			ck_assert_str_ne(spec->name, conf_spec((enum conf_option)j)->name);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("conf");
	TCase *tc = tcase_create("conf");

	tcase_add_checked_fixture(tc, make_file, remove_file);
	tcase_add_test(tc, a_configuration_file_is_read_and_its_mistakes_are_named);
	tcase_add_test(tc, a_credential_takes_precedence_over_the_configured_file);
	tcase_add_test(tc, all_that_is_wrong_with_a_file_is_said_at_once_with_its_lines);
	tcase_add_test(tc, values_of_every_type_are_checked);
	tcase_add_test(tc, options_that_do_not_go_together_are_named);
	tcase_add_test(tc, required_options_are_required_of_services_only);
	tcase_add_test(tc, a_value_says_where_it_comes_from_and_never_a_password);
	tcase_add_test(tc, a_wrong_connection_string_is_not_quoted);
	tcase_add_test(tc, every_option_has_a_name_help_and_a_valid_default);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
