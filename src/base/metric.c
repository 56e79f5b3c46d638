#include "base/metric.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/metric_file.h"

#define COUNTER(n, max, h, ...)                                                                    \
	{                                                                                          \
		n, METRIC_COUNTER, max, { __VA_ARGS__ }, h                                         \
	}
#define GAUGE(n, h)                                                                                \
	{                                                                                          \
		n, METRIC_GAUGE, 1, { NULL }, h                                                    \
	}
#define HISTOGRAM(n, max, h, ...)                                                                  \
	{                                                                                          \
		n, METRIC_HISTOGRAM, max, { __VA_ARGS__ }, h                                       \
	}

static const struct metric_spec specs[METRIC_COUNT] = {
	[METRIC_HTTP_REQUESTS] =
		COUNTER("fsa_http_requests_total", 350,
			"Requests answered; the route is its pattern, or \"-\" if there is none.",
			"method", "route", "status"),
	[METRIC_HTTP_SECONDS] = HISTOGRAM("fsa_http_request_seconds", 100,
					  "From a request's arrival in the program to its answer.",
					  "method", "route"),
	[METRIC_LOGINS] = COUNTER("fsa_logins_total", 50,
				  "Attempts to log in, by provider and how they ended.", "provider",
				  "result"),
	[METRIC_WORKER_CRASHES] = COUNTER("fsa_worker_crashes_total", 1,
					  "Workers that ended otherwise than they should.", NULL),
	[METRIC_DATABASE_UP] =
		GAUGE("fsa_database_up", "Whether PostgreSQL answers api.fcgi of this host."),
	[METRIC_QUEUE_DUE] = GAUGE(
		"fsa_queue_due_rows",
		"Resources that are due, of users who are not held, and that no pass works on; "
		"counted up to 100,000."),
	[METRIC_QUEUE_OLDEST] = GAUGE(
		"fsa_queue_oldest_due_seconds",
		"For how long the oldest of them has been due; if its owner pauses with all who "
		"waste processor time, since the end of the last pause."),
	[METRIC_QUEUE_LEASED] = GAUGE("fsa_queue_leased_rows", "Resources that a pass works on."),
	[METRIC_QUEUE_DEBTORS] = GAUGE("fsa_queue_paused_users",
				       "Users whose resources wait, since their API servers have "
				       "wasted processor time."),
	[METRIC_MAINTENANCE] =
		GAUGE("fsa_maintenance", "Whether users may only read (fsactl maintenance)."),
	[METRIC_PASSES] = COUNTER("fsa_passes_total", 2, "Passes that have ended.", "result"),
	[METRIC_PASS_SECONDS] =
		HISTOGRAM("fsa_pass_seconds", 1, "From a pass's beginning to its end.", NULL),
	[METRIC_PASS_END] = GAUGE("fsa_last_pass_timestamp_seconds",
				  "When the last pass that succeeded ended."),
	[METRIC_ROWS] = COUNTER("fsa_rows_total", 4,
				"Resources that passes have observed, by the result.", "result"),
	[METRIC_LEASES_LOST] =
		COUNTER("fsa_leases_lost_total", 1,
			"Results that came after the lease had ended, and were dropped.", NULL),
	[METRIC_SHARDS_LOST] =
		COUNTER("fsa_shards_lost_total", 1,
			"Processes of the reconciler that were ended by force, or crashed.", NULL),
	[METRIC_SPENDING] = HISTOGRAM(
		"fsa_user_processor_seconds", 2,
		"Processor time that one user's API server has cost, of which some may be "
		"charged to the user.",
		"charged"),
	[METRIC_TRANSITIONS] =
		COUNTER("fsa_transitions_total", 120, "Changes of status that passes have made.",
			"kind", "from", "to"),
	[METRIC_CAUSES] = COUNTER("fsa_causes_total", 60,
				  "Results with a cause, by the kind of the cause.", "kind"),
	[METRIC_KUBE_REQUESTS] =
		COUNTER("fsa_kube_requests_total", 250,
			"Requests to API servers, by HTTP status or else the kind of failure.",
			"server", "verb", "code"),
	[METRIC_KUBE_SECONDS] =
		HISTOGRAM("fsa_kube_request_seconds", 8,
			  "From a request to an API server to its answer or failure.", "verb"),
	[METRIC_LIVE_FLOWS] =
		GAUGE("fsa_live_flows", "Whether changes reach the streams of this host's nginx."),
	[METRIC_LIVE_MESSAGES] = COUNTER(
		"fsa_live_messages_total", 6,
		"What fsa-events has passed on to nginx, by event; \"end\" ends streams.", "event"),
	[METRIC_LIVE_GAPS] = COUNTER("fsa_live_gaps_total", 1,
				     "Times that every stream was ended, since something may have "
				     "been missed.",
				     NULL),
	[METRIC_LOG_LINES] = COUNTER("fsa_log_lines_total", 4, "Lines logged.", "level"),
	[METRIC_DROPPED] =
		COUNTER("fsa_metrics_dropped_total", 1,
			"Counts that were lost because the program has too many series.", NULL),
};

const struct metric_bound metric_bounds[METRIC_BOUNDS] = {
	{ 500, "0.0005" },  { 1000, "0.001" },  { 2500, "0.0025" }, { 5000, "0.005" },
	{ 10000, "0.01" },  { 25000, "0.025" }, { 50000, "0.05" },  { 100000, "0.1" },
	{ 250000, "0.25" }, { 500000, "0.5" },  { 1000000, "1" },   { 2500000, "2.5" },
	{ 5000000, "5" },   { 10000000, "10" }, { 30000000, "30" },
};

/* Of this process; all processes of the program share the mapping. */
static struct metric_file *mapped;
static int file_fd = -1;
static bool full[METRIC_COUNT]; /* max_series reached: new series are counted as "other" */

const struct metric_spec *metric_spec(enum metric metric)
{
	return &specs[metric];
}

/* ---- the file -------------------------------------------------------------------------------- */

/* Locks out other processes; the kernel releases the lock when its holder ends. */
static bool lock_file(short type)
{
	struct flock lock = { .l_type = type, .l_whence = SEEK_SET };

	while (fcntl(file_fd, F_SETLKW, &lock) < 0) {
		if (errno != EINTR)
			return false;
	}
	return true;
}

/* The file's space is allocated here, so that a full disk is an error now and not a signal at the
 * first write. */
static int map_file(const char *path, struct err *e)
{
	file_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
	int result = file_fd < 0 ? errno : posix_fallocate(file_fd, 0, sizeof(*mapped));
	void *memory = result != 0 ? MAP_FAILED
				   : mmap(NULL, sizeof(*mapped), PROT_READ | PROT_WRITE, MAP_SHARED,
					  file_fd, 0);

	if (memory == MAP_FAILED)
		return err_set(e, ERR_INTERNAL, "METRICS", "%s: %s", path,
			       strerror(result != 0 ? result : errno));
	mapped = memory;
	return 0;
}

static void begin_anew_if_unknown(void)
{
	if (!lock_file(F_WRLCK))
		return;
	if (mapped->layout != METRIC_LAYOUT) {
		memset((void *)mapped->series, 0, sizeof(mapped->series));
		mapped->layout = METRIC_LAYOUT;
	}
	(void)lock_file(F_UNLCK);
}

int metric_open(const char *directory, const char *program, struct err *e)
{
	CLEANUP(cleanup_free) char *path = mem_printf("%s/%s", directory, program);

	metric_close();
	if (map_file(path, e) < 0) {
		metric_close();
		return -1;
	}
	begin_anew_if_unknown();
	metric_add(METRIC_DROPPED, 0, NULL); /* it must get its place before all are taken */
	return 0;
}

void metric_close(void)
{
	if (mapped != NULL)
		(void)munmap(STEAL(mapped), sizeof(*mapped));
	cleanup_close(&file_fd);
	file_fd = -1;
	memset(full, 0, sizeof(full));
}

/* ---- series ---------------------------------------------------------------------------------- */

static size_t put_part(char *at, const char *text, size_t max)
{
	size_t length = strnlen(text, max);

	for (size_t i = 0; i < length; i++) {
		at[i] = text[i];
		if ((unsigned char)at[i] < ' ' || at[i] == 0x7f)
			at[i] = '?';
	}
	return length;
}

static void make_key(char key[METRIC_KEY_MAX], enum metric metric, const char *const *labels)
{
	const struct metric_spec *spec = &specs[metric];
	char *at = key + put_part(key, spec->name, METRIC_LABEL_MAX);

	_Static_assert((METRIC_LABELS_MAX + 1) * (METRIC_LABEL_MAX + 1) <= METRIC_KEY_MAX + 4,
		       "a key has room for a name of 60 and all labels");
	for (size_t i = 0; i < METRIC_LABELS_MAX && spec->labels[i] != NULL; i++) {
		*at++ = METRIC_SEPARATOR;
		at += put_part(at, labels != NULL && labels[i] != NULL ? labels[i] : "",
			       METRIC_LABEL_MAX);
	}
	*at = '\0';
}

/* FNV-1a. */
static uint32_t hash_key(const char *key)
{
	uint32_t hash = 2166136261U;

	for (const char *p = key; *p != '\0'; p++)
		hash = (hash ^ (unsigned char)*p) * 16777619U;
	return hash;
}

/* Returns the series with this key, or its free place with `*ret_found` false; NULL if there is no
 * place. */
static struct metric_series *find(const char *key, bool *ret_found)
{
	uint32_t start = hash_key(key);

	for (uint32_t i = 0; i < METRIC_SERIES_MAX; i++) {
		struct metric_series *s = &mapped->series[(start + i) % METRIC_SERIES_MAX];
		bool ready = atomic_load_explicit(&s->ready, memory_order_acquire) != 0;
		if (ready && strncmp(s->key, key, METRIC_KEY_MAX) != 0)
			continue;
		*ret_found = ready;
		return s;
	}
	return NULL;
}

static unsigned count_series(enum metric metric)
{
	size_t length = strlen(specs[metric].name);
	unsigned count = 0;

	for (size_t i = 0; i < METRIC_SERIES_MAX; i++) {
		const struct metric_series *s = &mapped->series[i];
		if (atomic_load_explicit(&s->ready, memory_order_acquire) != 0 &&
		    strncmp(s->key, specs[metric].name, length) == 0 &&
		    (s->key[length] == METRIC_SEPARATOR || s->key[length] == '\0'))
			count++;
	}
	return count;
}

/* Called under the lock, so that no other process makes the same series. If a process is killed
 * before it sets `ready`, the place is still free. Returns NULL if no place is left. */
static struct metric_series *make_series(const char *key)
{
	bool found = false;

	if (!lock_file(F_WRLCK))
		return NULL;
	struct metric_series *s = find(key, &found);
	if (s != NULL && !found) {
		memcpy(s->key, key, strlen(key) + 1); /* both have METRIC_KEY_MAX bytes */
		atomic_store_explicit(&s->ready, 1, memory_order_release);
	}
	(void)lock_file(F_UNLCK);
	return s;
}

/* Series are counted only when a new one is needed. */
static bool is_full(enum metric metric)
{
	if (!full[metric])
		full[metric] = count_series(metric) >= specs[metric].max_series;
	return full[metric];
}

/* Returns NULL if no place is left. */
static struct metric_series *get_series(enum metric metric, const char *const *labels)
{
	char key[METRIC_KEY_MAX];
	const char *values[METRIC_LABELS_MAX] = { NULL };
	struct metric_series *s;
	bool found = false;

	if (labels != NULL)
		memcpy(values, labels, sizeof(values));
	make_key(key, metric, values);
	s = find(key, &found);
	if (!found && values[0] != NULL && strcmp(values[0], "other") != 0 && is_full(metric)) {
		values[0] = "other";
		make_key(key, metric, values);
		s = find(key, &found);
	}
	return found ? s : make_series(key);
}

/* ---- counting -------------------------------------------------------------------------------- */

static void add(struct metric_series *s, size_t index, uint64_t n)
{
	(void)atomic_fetch_add_explicit(&s->values[index], n, memory_order_relaxed);
}

void metric_add(enum metric metric, uint64_t n, const char *const labels[METRIC_LABELS_MAX])
{
	if (mapped == NULL)
		return;
	struct metric_series *s = get_series(metric, labels);
	if (s != NULL)
		add(s, 0, n);
	else if (metric != METRIC_DROPPED)
		metric_add(METRIC_DROPPED, 1, NULL);
}

void metric_set(enum metric metric, uint64_t value, const char *const labels[METRIC_LABELS_MAX])
{
	if (mapped == NULL)
		return;
	struct metric_series *s = get_series(metric, labels);
	if (s != NULL)
		atomic_store_explicit(&s->values[0], value, memory_order_relaxed);
	else
		metric_add(METRIC_DROPPED, 1, NULL);
}

void metric_observe_us(enum metric metric, uint64_t us, const char *const labels[METRIC_LABELS_MAX])
{
	size_t bucket = 0;

	if (mapped == NULL)
		return;
	struct metric_series *s = get_series(metric, labels);
	if (s == NULL) {
		metric_add(METRIC_DROPPED, 1, NULL);
		return;
	}
	while (bucket < METRIC_BOUNDS && us > metric_bounds[bucket].us)
		bucket++;
	add(s, bucket, 1);
	add(s, METRIC_SUM, us);
}
