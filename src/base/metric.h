#ifndef FSA_BASE_METRIC_H
#define FSA_BASE_METRIC_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/*
 * Metrics, in Prometheus' sense. Each is a row of the table in metric.c.
 *
 * Our programs are short-lived: workers are replaced, a pass is a process of its own. So each
 * program counts in a file, DIRECTORY/PROGRAM, that all its processes map and that lives as long as
 * the machine is up. Counting is one atomic addition, without a lock or a system call, except for
 * the first count of a series, which briefly locks the file. A process that is killed at any point
 * leaves the file sound. metric_render() reads the files of all programs of this host.
 *
 * A program whose file cannot be opened works as usual, but counts nothing.
 *
 * Limits: METRIC_LABELS_MAX labels, of which METRIC_LABEL_MAX bytes are kept; METRIC_SERIES_MAX
 * series per program. Each metric also has a cap on its own series, because some label values come
 * from outside: above it, the first label is "other".
 *
 *     metric_add(METRIC_LOGINS, 1, METRIC_LABELS("password", "ok"));
 */
enum {
	METRIC_LABELS_MAX = 3,
	METRIC_LABEL_MAX = 64,
	METRIC_SERIES_MAX = 1024,
};

enum metric {
	/* web */
	METRIC_HTTP_REQUESTS,
	METRIC_HTTP_SECONDS,
	METRIC_LOGINS,
	METRIC_WORKER_CRASHES,
	/* the database, asked when somebody reads the metrics */
	METRIC_DATABASE_UP,
	METRIC_QUEUE_DUE,
	METRIC_QUEUE_OLDEST,
	METRIC_QUEUE_LEASED,
	METRIC_QUEUE_DEBTORS,
	METRIC_MAINTENANCE,
	METRIC_LIVE_FLOWS, /* of this host */
	/* reconciler */
	METRIC_PASSES,
	METRIC_PASS_SECONDS,
	METRIC_PASS_END,
	METRIC_ROWS,
	METRIC_LEASES_LOST,
	METRIC_SHARDS_LOST,
	METRIC_SPENDING,
	METRIC_TRANSITIONS,
	METRIC_CAUSES,
	METRIC_KUBE_REQUESTS,
	METRIC_KUBE_SECONDS,
	/* live updates */
	METRIC_LIVE_MESSAGES,
	METRIC_LIVE_GAPS,
	/* all programs */
	METRIC_LOG_LINES,
	METRIC_DROPPED,
	METRIC_COUNT
};

enum metric_type { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

struct metric_spec {
	const char *name; /* begins with "fsa_", ends in its unit or "_total" */
	enum metric_type type;
	unsigned max_series; /* of one program */
	const char *labels[METRIC_LABELS_MAX];
	const char *help; /* one sentence */
};

const struct metric_spec *metric_spec(enum metric metric);

/* A gauge whose value is not known at the moment: it is not shown. */
#define METRIC_UNKNOWN UINT64_MAX

/* Label values in the order of the table's row. NULL instead: none. */
#define METRIC_LABELS(...) ((const char *const[METRIC_LABELS_MAX]) { __VA_ARGS__ })

/*
 * Begins to count for `program`, in this process and those that it forks from now on. ERR_INTERNAL
 * names the file and what is wrong with it.
 */
int metric_open(const char *directory, const char *program, struct err *e);
void metric_close(void);

void metric_add(enum metric metric, uint64_t n, const char *const labels[METRIC_LABELS_MAX]);
/* Gauges. */
void metric_set(enum metric metric, uint64_t value, const char *const labels[METRIC_LABELS_MAX]);
/* Histograms: a duration. */
void metric_observe_us(enum metric metric, uint64_t us,
		       const char *const labels[METRIC_LABELS_MAX]);

/*
 * Appends what the programs of this host have counted, in Prometheus' text format (version 0.0.4),
 * each series with its program as first label. A program that has no file is left out. ERR_INTERNAL
 * for a file that is there and cannot be read: the text has all the others. ERR_TOO_LARGE: `text`
 * has no room.
 */
int metric_render(const char *directory, struct buf *text, struct err *e);

#endif
