#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include <check.h>
#include <jansson.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/command_line.h"
#include "base/err.h"
#include "base/heartbeat.h"
#include "base/json_at.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/notify.h"
#include "base/parse.h"
#include "base/spending.h"

START_TEST(every_error_kind_has_a_complete_row)
{
	for (int kind = 0; kind < ERR_KIND_COUNT; kind++) {
		enum err_kind found = ERR_KIND_COUNT;
		int status = err_kind_http_status((enum err_kind)kind);
		ck_assert_ptr_nonnull(err_kind_title((enum err_kind)kind));
		ck_assert(err_kind_parse(err_kind_name((enum err_kind)kind), &found));
		ck_assert_int_eq(found, kind);
		ck_assert(status >= 400 && status < 600);
	}
}
END_TEST

START_TEST(an_error_is_wrapped_with_context_and_cut_at_a_character)
{
	struct err e;
	char long_text[600];

	ck_assert_int_eq(err_set(&e, ERR_CONFLICT, NULL, "name %d", 7), -1);
	ck_assert_str_eq(e.code, "CONFLICT");
	ck_assert_int_eq(err_wrap(&e, "project"), -1);
	ck_assert_str_eq(e.message, "project: name 7");
	memset(long_text, 'a', sizeof(long_text));
	memcpy(long_text + sizeof(e.message) - 2, "\xc3\xa9", 3);
	err_set(&e, ERR_INVALID, "CODE", "%s", long_text);
	ck_assert(parse_is_utf8(e.message, strlen(e.message)));
	ck_assert_uint_eq(strlen(e.message), sizeof(e.message) - 2);
	ck_assert_int_eq(err_set(NULL, ERR_INVALID, NULL, "nobody listens"), -1);
}
END_TEST

START_TEST(stolen_memory_is_not_freed)
{
	struct buf b = BUF_INIT(4);
	struct err e;
	const char *p = "x";

	ck_assert_int_eq(buf_append(&b, "abc", 3, &e), 0);
	CLEANUP(buf_release) struct buf stolen = STEAL_STRUCT(b);
	ck_assert_str_eq(stolen.data, "abc");
	ck_assert_ptr_null(b.data);
	ck_assert_uint_eq(b.length, 0);
	ck_assert_str_eq(STEAL(p), "x");
	ck_assert_ptr_null(p);
}
END_TEST

START_TEST(a_buffer_keeps_to_its_cap)
{
	CLEANUP(buf_release) struct buf b = BUF_INIT(4);
	struct err e;

	ck_assert_int_eq(buf_append(&b, "abc", 3, &e), 0);
	ck_assert_int_eq(buf_append(&b, "de", 2, &e), -1);
	ck_assert_int_eq(e.kind, ERR_TOO_LARGE);
	ck_assert_str_eq(b.data, "abc");
	ck_assert_int_eq(buf_append(&b, "d", 1, &e), 0);
	ck_assert_str_eq(b.data, "abcd");
}
END_TEST

START_TEST(numbers_and_durations_are_read_whole_or_not_at_all)
{
	uint64_t n = 42;
	bool yes = false;

	ck_assert(parse_u64("18446744073709551615", 0, UINT64_MAX, &n));
	ck_assert_uint_eq(n, UINT64_MAX);
	static const char *const bad[] = {
		"", "-1", "+1", " 1", "1 ", "1x", "18446744073709551616"
	};
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		ck_assert_msg(!parse_u64(bad[i], 0, UINT64_MAX, &n), "%s", bad[i]);
	ck_assert(!parse_u64("11", 0, 10, &n));
	ck_assert(!parse_u64("9", 0, 5, &n));
	ck_assert(parse_duration_ms("3s", &n));
	ck_assert_uint_eq(n, 3000);
	ck_assert(parse_duration_ms("500ms", &n));
	ck_assert_uint_eq(n, 500);
	static const char *const bad_durations[] = { "3",   "s",   "3 s",
						     "-3s", "3sm", "99999999999999999d" };
	for (size_t i = 0; i < ARRAY_SIZE(bad_durations); i++)
		ck_assert_msg(!parse_duration_ms(bad_durations[i], &n), "%s", bad_durations[i]);
	ck_assert(parse_bool("yes", &yes) && yes);
	ck_assert(!parse_bool("YES ", &yes));
}
END_TEST

START_TEST(utf8_and_uuids_are_checked_strictly)
{
	ck_assert(parse_is_utf8("h\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80", 12));
	static const char *const bad[] = { "\xc0\x80",         "\xed\xa0\x80", "\xf4\x90\x80\x80",
					   "\xe2\x82",         "\x80",         "\xff",
					   "\xf0\x80\x80\x80", "\xe0\x80\x80" };
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		ck_assert_msg(!parse_is_utf8(bad[i], strlen(bad[i])), "row %zu", i);
	ck_assert(!parse_is_utf8("a\0b", 3));
	ck_assert(parse_is_uuid("01890a5d-ac96-774b-bcce-b302099a8057"));
	ck_assert(!parse_is_uuid("01890a5d-ac96-774b-bcce-b302099a805"));
	ck_assert(!parse_is_uuid("01890a5dxac96-774b-bcce-b302099a8057"));
}
END_TEST

START_TEST(a_domain_is_valid_in_kubernetes)
{
	char label[65] = "";

	ck_assert(parse_is_domain("apps.example.org"));
	ck_assert(parse_is_domain("a-1.b"));
	ck_assert(parse_is_domain("localhost"));
	static const char *const wrong[] = {
		"",    ".",     "a.",    ".a",    "a..b",  "-a.b",       "a-.b",      "a.b-",
		"A.b", "a_b.c", "a.b/c", "*.a.b", "a.b:8", "bad domain", "\xc3\xa4.b"
	};
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		ck_assert_msg(!parse_is_domain(wrong[i]), "%s", wrong[i]);
	memset(label, 'a', 63);
	ck_assert(parse_is_domain(label));
	label[63] = 'a';
	ck_assert(!parse_is_domain(label));
}
END_TEST

START_TEST(a_status_reaches_the_service_manager_as_one_line)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	CLEANUP(cleanup_close) int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char got[128] = "";

	notify_status("nobody listens");
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "/tmp/fsa-notify-%ld",
		       (long)getpid());
	ck_assert_int_eq(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(setenv("NOTIFY_SOCKET", address.sun_path, 1), 0);
	notify_status("%s is away\nWATCHDOG=1", "PostgreSQL");
	ck_assert_int_gt(recv(fd, got, sizeof(got) - 1, MSG_DONTWAIT), 0);
	ck_assert_str_eq(got, "STATUS=PostgreSQL is away");
	(void)unlink(address.sun_path);
	(void)unsetenv("NOTIFY_SOCKET");
}
END_TEST

/* Returns how log_line() writes a field. The caller frees. */
static char *logged(const char *value)
{
	int fds[2];
	char text[4096] = "";
	int before = dup(STDERR_FILENO);

	ck_assert_int_eq(pipe(fds), 0);
	ck_assert_int_ge(dup2(fds[1], STDERR_FILENO), 0);
	log_line(LOG_LEVEL_INFO, "test", LOG_STR("k", value), LOG_INT("n", -7));
	ck_assert_int_ge(dup2(before, STDERR_FILENO), 0);
	ck_assert_int_gt(read(fds[0], text, sizeof(text) - 1), 0);
	(void)close(before);
	(void)close(fds[0]);
	(void)close(fds[1]);
	return mem_strdup(text);
}

START_TEST(a_log_line_is_one_line_of_pairs_whatever_is_in_them)
{
	static const char *const values[][2] = {
		{ "plain", "k=plain" },
		{ "", "k=\"\"" },
		{ "two words", "k=\"two words\"" },
		{ "a=\"b\"\\", "k=\"a=\\\"b\\\"\\\\\"" },
		{ "x\nlevel=error", "k=\"x\\u000alevel=error\"" },
		{ "\x1b[2J\x7f", "k=\"\\u001b[2J\\u007f\"" },
		{ "\xc3\xa9\xe2\x82\xac", "k=\"\xc3\xa9\xe2\x82\xac\"" },
		{ "\xc2\x9b[2J", "k=\"\\u009b[2J\"" }, /* CSI of ISO 6429 */
		{ "a\xff", "k=\"a\\ufffd\"" },
	};

	(void)unsetenv("JOURNAL_STREAM");
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		CLEANUP(cleanup_free) char *line = logged(values[i][0]);
		CLEANUP(cleanup_free)
		char *wanted = mem_printf("level=info msg=test %s n=-7\n", values[i][1]);
		ck_assert_str_eq(line, wanted);
	}
	(void)setenv("JOURNAL_STREAM", "1:2", 1);
	CLEANUP(cleanup_free) char *line = logged("v");
	(void)unsetenv("JOURNAL_STREAM");
	ck_assert_msg(line[0] == '<' && line[2] == '>' && strncmp(line + 3, "level=", 6) == 0, "%s",
		      line);
}
END_TEST

START_TEST(a_long_log_line_is_cut_between_characters)
{
	for (size_t length = 1990; length < 2060; length++) {
		CLEANUP(cleanup_free) char *value = mem_calloc(2 * length + 2, 1);
		value[0] = ' ';
		for (size_t i = 0; i < length; i++)
			memcpy(value + 1 + 2 * i, "\xc3\xa9", 2);
		CLEANUP(cleanup_free) char *line = logged(value + length % 2);
		size_t got = strlen(line);
		ck_assert_uint_le(got, 2048);
		ck_assert_uint_ge(got, 2044);
		ck_assert(parse_is_utf8(line, got));
		ck_assert_str_eq(line + got - 2, "\"\n");
		memset(value, ' ', length);
		memset(value + length, '\0', length);
		CLEANUP(cleanup_free) char *blanks = logged(value);
		ck_assert_uint_le(strlen(blanks), 2048);
		ck_assert(strncmp(blanks + strlen(blanks) - 2, "\"\n", 2) == 0 ||
			  strstr(blanks, "\" n=-7\n") != NULL || strstr(blanks, "\" n=\n") != NULL);
	}
}
END_TEST

START_TEST(a_heartbeat_says_for_whom_until_the_loop_turns)
{
	struct heartbeat shared = { 0 };
	char longest[2 * HEARTBEAT_OWNER_MAX];

	heartbeat_owner("nobody listens");
	heartbeat_open(&shared);
	heartbeat_owner("alice");
	ck_assert_str_eq(shared.owner, "alice");
	ck_assert(atomic_load(&shared.beat_ms) == 0);
	heartbeat_beat();
	ck_assert_str_eq(shared.owner, "");
	ck_assert(atomic_load(&shared.beat_ms) > 0);
	memset(longest, 'a', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	heartbeat_owner(longest);
	ck_assert_uint_eq(strlen(shared.owner), HEARTBEAT_OWNER_MAX);
	heartbeat_owner(NULL);
	ck_assert_str_eq(shared.owner, "");
	heartbeat_open(NULL);
	heartbeat_owner("bob");
	ck_assert_str_eq(shared.owner, "");
}
END_TEST

static void spend_some(void)
{
	const clock_t begin = clock();

	while (clock() - begin < CLOCKS_PER_SEC / 50)
		continue;
}

START_TEST(processor_time_is_counted_for_the_owner_of_the_heartbeat)
{
	enum { ROUND_US = 20000 };
	struct heartbeat shared = { 0 };

	heartbeat_open(&shared);
	heartbeat_owner("alice");
	spend_some();
	heartbeat_owner("bob");
	spend_some();
	heartbeat_owner("alice");
	spend_some();
	heartbeat_beat();
	spend_some(); /* with no current user */
	uint64_t alice = spending_take_us("alice"), bob = spending_take_us("bob");
	ck_assert_uint_ge(bob, ROUND_US);
	ck_assert_uint_lt(bob, 2 * ROUND_US);
	ck_assert_uint_ge(alice, 2 * ROUND_US);
	ck_assert_uint_lt(alice, 3 * ROUND_US);
	ck_assert_uint_eq(spending_take_us("alice"), 0);
	/* Time of the current work is included. */
	heartbeat_owner("alice");
	spend_some();
	ck_assert_uint_ge(spending_take_us("alice"), ROUND_US);
	heartbeat_open(NULL);
}
END_TEST

START_TEST(json_is_read_by_path_and_what_is_missing_or_another_type_is_absent)
{
	json_auto_t *json =
		json_loads("{\"a\": {\"list\": [{\"n\": 7, \"t\": \"x\"}], \"0\": \"zero\"},"
			   " \"ab\": 1, \"null\": null}",
			   0, NULL);

	ck_assert_str_eq(json_text_at(json, "a.list.0.t"), "x");
	ck_assert_int_eq(json_number_at(json, "a.list.0.n"), 7);
	ck_assert_str_eq(json_text_at(json, "a.0"), "zero");
	ck_assert_ptr_eq(json_at(json, "a"), json_object_get(json, "a"));
	ck_assert_ptr_null(json_at(json, "a.list.1"));
	ck_assert_ptr_null(json_at(json, "a.list.t"));
	ck_assert_ptr_null(json_at(json, "a.list.-1"));
	ck_assert_ptr_null(json_at(json, "ab.n"));
	ck_assert_ptr_null(json_at(json, "b.list"));
	ck_assert_ptr_null(json_at(json, ""));
	ck_assert_ptr_null(json_at(NULL, "a"));
	ck_assert_str_eq(json_text_at(json, "ab"), "");
	ck_assert_int_eq(json_number_at(json, "a.list.0.t"), 0);
	ck_assert_str_eq(json_text(json_at(json, "null")), "");
}
END_TEST

struct parsed {
	const char *file;
	bool check;
	int exit;
};

/* Parses "program FIRST SECOND"; either may be NULL. */
static bool read_options(char *first, char *second, struct parsed *ret)
{
	const struct command_line_option options[] = {
		{ "file", .ret_argument = &ret->file },
		{ "check", .ret_given = &ret->check },
		{ .name = NULL },
	};
	char *argv[] = { (char[]) { "program" }, first, second, NULL };

	*ret = (struct parsed) { .file = "default" };
	optind = 0; /* makes getopt_long() start over */
	return command_line_read(&(struct command_line) { "program", "usage\n", options },
				 1 + (first != NULL) + (second != NULL), argv, &ret->exit);
}

START_TEST(a_command_line_sets_what_its_table_names)
{
	struct parsed p;

	ck_assert(read_options(NULL, NULL, &p));
	ck_assert_str_eq(p.file, "default");
	ck_assert(!p.check);
	ck_assert(read_options((char[]) { "--check" }, (char[]) { "--file=x" }, &p));
	ck_assert_str_eq(p.file, "x");
	ck_assert(p.check);
	ck_assert(read_options((char[]) { "--file" }, (char[]) { "y" }, &p));
	ck_assert_str_eq(p.file, "y");
}
END_TEST

START_TEST(a_command_line_with_help_or_an_error_ends_the_program)
{
	char wrong[][12] = { "--unknown", "--file", "--check=yes", "argument", "" };
	struct parsed p;

	ck_assert(!read_options((char[]) { "--help" }, NULL, &p));
	ck_assert_int_eq(p.exit, EXIT_SUCCESS);
	ck_assert(!read_options((char[]) { "--version" }, NULL, &p));
	ck_assert_int_eq(p.exit, EXIT_SUCCESS);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		ck_assert_msg(!read_options(wrong[i], NULL, &p), "%s", wrong[i]);
		ck_assert_int_eq(p.exit, EX_USAGE);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("base");
	TCase *tc = tcase_create("base");

	tcase_add_test(tc, every_error_kind_has_a_complete_row);
	tcase_add_test(tc, an_error_is_wrapped_with_context_and_cut_at_a_character);
	tcase_add_test(tc, stolen_memory_is_not_freed);
	tcase_add_test(tc, a_buffer_keeps_to_its_cap);
	tcase_add_test(tc, numbers_and_durations_are_read_whole_or_not_at_all);
	tcase_add_test(tc, utf8_and_uuids_are_checked_strictly);
	tcase_add_test(tc, a_domain_is_valid_in_kubernetes);
	tcase_add_test(tc, json_is_read_by_path_and_what_is_missing_or_another_type_is_absent);
	tcase_add_test(tc, a_heartbeat_says_for_whom_until_the_loop_turns);
	tcase_add_test(tc, processor_time_is_counted_for_the_owner_of_the_heartbeat);
	tcase_add_test(tc, a_status_reaches_the_service_manager_as_one_line);
	tcase_add_test(tc, a_log_line_is_one_line_of_pairs_whatever_is_in_them);
	tcase_add_test(tc, a_long_log_line_is_cut_between_characters);
	tcase_add_test(tc, a_command_line_sets_what_its_table_names);
	tcase_add_test(tc, a_command_line_with_help_or_an_error_ends_the_program);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
