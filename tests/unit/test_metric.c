#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <check.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/metric.h"
#include "base/metric_file.h"

static char directory[] = "/tmp/test-metric-XXXXXX";

static void make_directory(void)
{
	strcpy(directory + sizeof(directory) - 7, "XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
}

static void remove_directory(void)
{
	CLEANUP(cleanup_free) char *path = mem_printf("%s/api.fcgi", directory);

	metric_close();
	(void)unlink(path);
	ck_assert_int_eq(rmdir(directory), 0);
}

static void open_metrics(void)
{
	struct err e;

	ck_assert_msg(metric_open(directory, "api.fcgi", &e) == 0, "%s", e.message);
}

static char *rendered(void)
{
	struct buf text = BUF_INIT(1 << 20);
	struct err e;

	ck_assert_msg(metric_render(directory, &text, &e) == 0, "%s", e.message);
	return text.data;
}

static void expect(const char *line)
{
	CLEANUP(cleanup_free) char *text = rendered();
	CLEANUP(cleanup_free) char *whole = mem_printf("\n%s\n", line);

	ck_assert_msg(strstr(text, whole) != NULL, "no line %s in %s", line, text);
}

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text), end_length = strlen(end);

	return length >= end_length && strcmp(text + length - end_length, end) == 0;
}

START_TEST(every_metric_has_a_complete_row)
{
	unsigned series = 0;

	for (int m = 0; m < METRIC_COUNT; m++) {
		const struct metric_spec *spec = metric_spec((enum metric)m);
		ck_assert_ptr_nonnull(spec->name);
		ck_assert_msg(strncmp(spec->name, "fsa_", 4) == 0, "%s", spec->name);
		ck_assert_uint_lt(strlen(spec->name), 60);
		ck_assert(ends_with(spec->name, "_total") == (spec->type == METRIC_COUNTER));
		ck_assert(spec->type != METRIC_HISTOGRAM || ends_with(spec->name, "_seconds"));
		ck_assert(ends_with(spec->help, "."));
		ck_assert_uint_gt(spec->max_series, 0);
		for (int other = 0; other < m; other++)
			ck_assert_str_ne(spec->name, metric_spec((enum metric)other)->name);
		series += spec->max_series;
	}
	ck_assert_uint_lt(series, METRIC_SERIES_MAX);
	for (int i = 1; i < METRIC_BOUNDS; i++)
		ck_assert_uint_gt(metric_bounds[i].us, metric_bounds[i - 1].us);
	for (int i = 0; i < METRIC_BOUNDS; i++)
		ck_assert_double_eq_tol(strtod(metric_bounds[i].seconds, NULL),
					(double)metric_bounds[i].us / 1e6, 1e-9);
}
END_TEST

START_TEST(every_metric_is_in_the_documentation)
{
	static const char *const types[] = { "counter", "gauge", "histogram" };
	CLEANUP(buf_release) struct buf page = BUF_INIT(1 << 20);
	struct err e;

	ck_assert_msg(buf_read_file(&page, TEST_SOURCE_DIR "/docs/monitoring.md", &e) == 0, "%s",
		      e.message);
	for (int m = 0; m < METRIC_COUNT; m++) {
		const struct metric_spec *spec = metric_spec((enum metric)m);
		struct buf labels = BUF_INIT(256);
		for (size_t i = 0; i < METRIC_LABELS_MAX && spec->labels[i] != NULL; i++) {
			(void)buf_append(&labels, i > 0 ? ", " : " ", i > 0 ? 2 : 1, &e);
			(void)buf_append(&labels, spec->labels[i], strlen(spec->labels[i]), &e);
		}
		CLEANUP(cleanup_free)
		char *row = mem_printf("\n| `%s` | %s |%s | %s |\n", spec->name, types[spec->type],
				       labels.data ? labels.data : "", spec->help);
		buf_release(&labels);
		ck_assert_msg(strstr(page.data, row) != NULL, "docs/monitoring.md lacks %s", row);
	}
}
END_TEST

START_TEST(counters_gauges_and_histograms_are_exported)
{
	open_metrics();
	metric_add(METRIC_LOGINS, 2, METRIC_LABELS("password", "ok"));
	metric_add(METRIC_LOGINS, 1, METRIC_LABELS("password", "ok"));
	metric_add(METRIC_LEASES_LOST, 0, NULL);
	metric_set(METRIC_QUEUE_DUE, 7, NULL);
	metric_set(METRIC_QUEUE_OLDEST, 7, NULL);
	metric_set(METRIC_QUEUE_OLDEST, METRIC_UNKNOWN, NULL);
	metric_observe_us(METRIC_KUBE_SECONDS, 500, METRIC_LABELS("get"));
	metric_observe_us(METRIC_KUBE_SECONDS, 501, METRIC_LABELS("get"));
	metric_observe_us(METRIC_KUBE_SECONDS, 60000000, METRIC_LABELS("get"));
	expect("# TYPE fsa_logins_total counter");
	expect("fsa_logins_total{program=\"api.fcgi\",provider=\"password\",result=\"ok\"} 3");
	expect("fsa_leases_lost_total{program=\"api.fcgi\"} 0");
	expect("fsa_queue_due_rows{program=\"api.fcgi\"} 7");
	CLEANUP(cleanup_free) char *text = rendered();
	ck_assert_ptr_null(strstr(text, "fsa_queue_oldest_due_seconds{"));
	const char *head = "fsa_kube_request_seconds_bucket{program=\"api.fcgi\",verb=\"get\",le=";
	CLEANUP(cleanup_free) char *first = mem_printf("%s\"0.0005\"} 1", head);
	CLEANUP(cleanup_free) char *second = mem_printf("%s\"0.001\"} 2", head);
	CLEANUP(cleanup_free) char *last = mem_printf("%s\"30\"} 2", head);
	CLEANUP(cleanup_free) char *all = mem_printf("%s\"+Inf\"} 3", head);
	expect(first);
	expect(second);
	expect(last);
	expect(all);
	expect("fsa_kube_request_seconds_sum{program=\"api.fcgi\",verb=\"get\"} 60.001001");
	expect("fsa_kube_request_seconds_count{program=\"api.fcgi\",verb=\"get\"} 3");
}
END_TEST

START_TEST(hostile_label_values_stay_within_their_quotes)
{
	char long_value[200];

	open_metrics();
	memset(long_value, 'x', sizeof(long_value) - 1);
	long_value[sizeof(long_value) - 1] = '\0';
	metric_add(METRIC_LOGINS, 1, METRIC_LABELS("a\"} 1\n\x1f\\", "\xff"));
	metric_add(METRIC_LOGINS, 1, METRIC_LABELS("\xc3\xa9"));
	metric_add(METRIC_CAUSES, 1, METRIC_LABELS(long_value));
	expect("fsa_logins_total{program=\"api.fcgi\",provider=\"a\\\"} 1??\\\\\",result=\"?\"} 1");
	expect("fsa_logins_total{program=\"api.fcgi\",provider=\"\xc3\xa9\",result=\"\"} 1");
	CLEANUP(cleanup_free)
	char *cut = mem_printf("fsa_causes_total{program=\"api.fcgi\",kind=\"%.*s\"} 1",
			       METRIC_LABEL_MAX, long_value);
	expect(cut);
}
END_TEST

START_TEST(series_above_the_cap_are_counted_together)
{
	unsigned max = metric_spec(METRIC_KUBE_REQUESTS)->max_series;

	open_metrics();
	for (unsigned i = 0; i < max + 500; i++) {
		char server[32];
		(void)snprintf(server, sizeof(server), "host%u", i);
		metric_add(METRIC_KUBE_REQUESTS, 1, METRIC_LABELS(server, "get", "200"));
	}
	metric_add(METRIC_KUBE_REQUESTS, 1, METRIC_LABELS("host0", "get", "200"));
	expect("fsa_kube_requests_total{program=\"api.fcgi\",server=\"other\",verb=\"get\","
	       "code=\"200\"} 500");
	expect("fsa_kube_requests_total{program=\"api.fcgi\",server=\"host0\",verb=\"get\","
	       "code=\"200\"} 2");
	expect("fsa_metrics_dropped_total{program=\"api.fcgi\"} 0");
}
END_TEST

START_TEST(series_without_a_place_are_counted)
{
	open_metrics();
	for (unsigned i = 0; i < METRIC_SERIES_MAX * 2; i++) {
		char code[32];
		(void)snprintf(code, sizeof(code), "%u", i);
		metric_add(METRIC_KUBE_REQUESTS, 1, METRIC_LABELS("other", "get", code));
	}
	/* All places except that of the metric which reports this. */
	CLEANUP(cleanup_free)
	char *line = mem_printf("fsa_metrics_dropped_total{program=\"api.fcgi\"} %d",
				METRIC_SERIES_MAX + 1);
	expect(line);
}
END_TEST

/* A worker that makes series and counts like the others, until it is done or killed. */
static void count_in_child(unsigned rounds)
{
	for (unsigned i = 0; i < rounds; i++) {
		char route[16];
		(void)snprintf(route, sizeof(route), "/%u", i % 50);
		metric_add(METRIC_HTTP_REQUESTS, 1, METRIC_LABELS("GET", route, "200"));
	}
	_exit(0);
}

static size_t count_lines(const char *text, const char *start)
{
	size_t count = 0;

	for (const char *at = text; (at = strstr(at, start)) != NULL; at++)
		count++;
	return count;
}

START_TEST(processes_count_together_and_may_be_killed)
{
	enum { PROCESSES = 8, ROUNDS = 5000 };
	pid_t pids[PROCESSES + 1];

	open_metrics();
	for (int i = 0; i <= PROCESSES; i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			count_in_child(i < PROCESSES ? ROUNDS : 0);
	}
	for (int i = 0; i <= PROCESSES; i++)
		ck_assert_int_eq(waitpid(pids[i], NULL, 0), pids[i]);
	expect("fsa_http_requests_total{program=\"api.fcgi\",method=\"GET\",route=\"/7\","
	       "status=\"200\"} 800");
	CLEANUP(cleanup_free) char *text = rendered();
	ck_assert_uint_eq(count_lines(text, "\nfsa_http_requests_total{"), 50);
	for (int i = 0; i < 50; i++) {
		pid_t pid = fork();
		if (pid == 0)
			count_in_child(1U << 30);
		(void)usleep(500);
		(void)kill(pid, SIGKILL);
		ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	}
	CLEANUP(cleanup_free) char *after = rendered();
	ck_assert_uint_eq(count_lines(after, "\nfsa_http_requests_total{"), 50);
	metric_add(METRIC_LOGINS, 1, METRIC_LABELS("password", "ok")); /* no lock is still held */
	expect("fsa_logins_total{program=\"api.fcgi\",provider=\"password\",result=\"ok\"} 1");
}
END_TEST

START_TEST(counts_outlive_the_process_but_not_the_layout)
{
	const char *line = "fsa_logins_total{program=\"api.fcgi\",provider=\"password\","
			   "result=\"ok\"} 1";
	CLEANUP(cleanup_free) char *path = mem_printf("%s/api.fcgi", directory);
	const uint64_t unknown = 1;

	open_metrics();
	metric_add(METRIC_LOGINS, 1, METRIC_LABELS("password", "ok"));
	metric_close();
	expect(line);
	open_metrics();
	expect(line);
	metric_close();
	CLEANUP(cleanup_close) int fd = open(path, O_WRONLY);
	ck_assert_int_eq(pwrite(fd, &unknown, sizeof(unknown), 0), sizeof(unknown));
	CLEANUP(cleanup_free) char *text = rendered();
	ck_assert_ptr_null(strstr(text, "fsa_logins_total{"));
	open_metrics();
	CLEANUP(cleanup_free) char *anew = rendered();
	ck_assert_ptr_null(strstr(anew, "fsa_logins_total{"));
	ck_assert_ptr_nonnull(strstr(anew, "fsa_metrics_dropped_total{"));
}
END_TEST

START_TEST(a_corrupt_file_is_harmless)
{
	CLEANUP(cleanup_free) char *path = mem_printf("%s/api.fcgi", directory);
	struct metric_file *file = mem_calloc(1, sizeof(*file));

	memset((void *)file, 0xff, sizeof(*file));
	file->layout = METRIC_LAYOUT;
	for (size_t i = 0; i < METRIC_SERIES_MAX; i += 2) {
		memset(file->series[i].key, METRIC_SEPARATOR, METRIC_KEY_MAX);
		memcpy(file->series[i].key, "fsa_logins_total", 16);
	}
	CLEANUP(cleanup_close) int fd = open(path, O_CREAT | O_WRONLY, 0600);
	ck_assert_int_eq(write(fd, (const void *)file, sizeof(*file)), sizeof(*file));
	free(file);
	CLEANUP(cleanup_free) char *text = rendered();
	ck_assert_ptr_null(strchr(text, METRIC_SEPARATOR));
	open_metrics();
	metric_add(METRIC_LOGINS, 1, METRIC_LABELS("password", "ok"));
	metric_observe_us(METRIC_KUBE_SECONDS, 1, METRIC_LABELS("get"));
	metric_set(METRIC_QUEUE_DUE, 1, NULL);
}
END_TEST

START_TEST(without_a_file_nothing_is_counted_and_all_works)
{
	struct buf text = BUF_INIT(16);
	struct err e;

	ck_assert_int_eq(metric_open("/nowhere", "api.fcgi", &e), -1);
	ck_assert_ptr_nonnull(strstr(e.message, "/nowhere/api.fcgi: No such file"));
	metric_add(METRIC_LOGINS, 1, METRIC_LABELS("password", "ok"));
	metric_set(METRIC_QUEUE_DUE, 1, NULL);
	metric_observe_us(METRIC_PASS_SECONDS, 1, NULL);
	CLEANUP(cleanup_free) char *all = rendered();
	ck_assert_ptr_null(strstr(all, "{"));
	ck_assert_int_eq(metric_render(directory, &text, &e), -1);
	ck_assert_int_eq(e.kind, ERR_TOO_LARGE);
	buf_release(&text);
}
END_TEST

START_TEST(a_file_that_cannot_be_read_is_named)
{
	CLEANUP(buf_release) struct buf text = BUF_INIT(1 << 20);
	CLEANUP(cleanup_free) char *path = mem_printf("%s/auth.fcgi", directory);
	struct err e;

	open_metrics();
	ck_assert_int_eq(symlink("/etc/passwd", path), 0); /* root can read it whatever the mode */
	ck_assert_int_eq(metric_render(directory, &text, &e), -1);
	(void)unlink(path);
	ck_assert_ptr_nonnull(strstr(e.message, "/auth.fcgi: "));
	ck_assert_ptr_nonnull(strstr(text.data, "fsa_metrics_dropped_total{"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("metric");
	TCase *tc = tcase_create("metric");

	tcase_add_checked_fixture(tc, make_directory, remove_directory);
	tcase_set_timeout(tc, 300);
	tcase_add_test(tc, every_metric_has_a_complete_row);
	tcase_add_test(tc, every_metric_is_in_the_documentation);
	tcase_add_test(tc, counters_gauges_and_histograms_are_exported);
	tcase_add_test(tc, hostile_label_values_stay_within_their_quotes);
	tcase_add_test(tc, series_above_the_cap_are_counted_together);
	tcase_add_test(tc, series_without_a_place_are_counted);
	tcase_add_test(tc, processes_count_together_and_may_be_killed);
	tcase_add_test(tc, counts_outlive_the_process_but_not_the_layout);
	tcase_add_test(tc, a_corrupt_file_is_harmless);
	tcase_add_test(tc, without_a_file_nothing_is_counted_and_all_works);
	tcase_add_test(tc, a_file_that_cannot_be_read_is_named);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
