#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/metric_file.h"
#include "base/parse.h"

/* The programs that count, which are the names of their files. */
static const char *const programs[] = { "api.fcgi", "auth.fcgi", "fsa-events", "fsa-reconcile" };

static const char *const type_names[] = {
	[METRIC_COUNTER] = "counter",
	[METRIC_GAUGE] = "gauge",
	[METRIC_HISTOGRAM] = "histogram",
};

/* A program's file; NULL if it has none, or an unreadable one. */
struct reader {
	struct metric_file *file;
};

/* The text, and whether anything did not fit. */
struct writer {
	struct buf *text;
	bool failed;
};

/* ---- reading --------------------------------------------------------------------------------- */

/* Mapped instead of read, so that 64-bit values are never torn. */
static int map_to_read(struct reader *r, const char *path, struct err *e)
{
	CLEANUP(cleanup_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat found;
	void *memory;

	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 || fstat(fd, &found) < 0)
		return err_set(e, ERR_INTERNAL, "METRICS", "%s: %s", path, strerror(errno));
	if (!S_ISREG(found.st_mode) || found.st_size < (off_t)sizeof(*r->file))
		return 0; /* made by tmpfiles.d and not used yet */
	memory = mmap(NULL, sizeof(*r->file), PROT_READ, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		return err_set(e, ERR_INTERNAL, "METRICS", "%s: %s", path, strerror(errno));
	r->file = memory;
	if (r->file->layout != METRIC_LAYOUT)
		(void)munmap(STEAL(r->file), sizeof(*r->file));
	return 0;
}

/* ---- writing --------------------------------------------------------------------------------- */

static void put(struct writer *w, const char *text)
{
	struct err e;

	w->failed = w->failed || buf_append(w->text, text, strlen(text), &e) < 0;
}

/* Appends a label's value, without quotes. */
static void put_escaped(struct writer *w, const char *text, size_t length)
{
	bool is_utf8 = parse_is_utf8(text, length);

	for (size_t i = 0; i < length; i++) {
		char c[3] = { text[i] };
		if (text[i] == '"' || text[i] == '\\') {
			c[0] = '\\';
			c[1] = text[i];
		} else if ((unsigned char)text[i] < ' ' ||
			   ((unsigned char)text[i] >= 0x80 && !is_utf8)) {
			c[0] = '?';
		}
		put(w, c);
	}
}

static void put_label(struct writer *w, const char *name, const char *value, size_t length)
{
	put(w, name);
	put(w, "=\"");
	put_escaped(w, value, length);
	put(w, "\"");
}

/* A series of one program that is being rendered. */
struct sample {
	const struct metric_spec *spec;
	const char *program;
	/* A copy, because the other program may change its file at any time. */
	char key[METRIC_KEY_MAX + 1];
};

/* Appends name and labels, with `le` unless it is NULL. */
static void put_head(struct writer *w, const struct sample *s, const char *suffix, const char *le)
{
	const char *at = s->key + strlen(s->spec->name);

	put(w, s->spec->name);
	put(w, suffix);
	put(w, "{");
	put_label(w, "program", s->program, strlen(s->program));
	for (size_t i = 0; i < METRIC_LABELS_MAX && s->spec->labels[i] != NULL; i++) {
		at += *at == METRIC_SEPARATOR;
		size_t length = strcspn(at, (const char[]) { METRIC_SEPARATOR, '\0' });
		put(w, ",");
		put_label(w, s->spec->labels[i], at, length);
		at += length;
	}
	if (le != NULL) {
		put(w, ",");
		put_label(w, "le", le, strlen(le));
	}
	put(w, "} ");
}

static void put_number(struct writer *w, uint64_t number)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%" PRIu64 "\n", number);
	put(w, text);
}

static uint64_t load(const struct metric_series *s, size_t index)
{
	return atomic_load_explicit(&s->values[index], memory_order_relaxed);
}

/* The count is the sum of the buckets read, so that both agree while others count. */
static void put_histogram(struct writer *w, const struct sample *sample,
			  const struct metric_series *s)
{
	uint64_t count = 0;
	uint64_t sum_us = load(s, METRIC_SUM);
	char seconds[40];

	for (size_t i = 0; i <= METRIC_BOUNDS; i++) {
		count += load(s, i);
		put_head(w, sample, "_bucket",
			 i < METRIC_BOUNDS ? metric_bounds[i].seconds : "+Inf");
		put_number(w, count);
	}
	put_head(w, sample, "_sum", NULL);
	(void)snprintf(seconds, sizeof(seconds), "%" PRIu64 ".%06" PRIu64 "\n", sum_us / 1000000,
		       sum_us % 1000000);
	put(w, seconds);
	put_head(w, sample, "_count", NULL);
	put_number(w, count);
}

static void put_series(struct writer *w, const struct metric_spec *spec, const char *program,
		       const struct metric_series *s)
{
	size_t length = strlen(spec->name);
	struct sample sample = { .spec = spec, .program = program };

	if (atomic_load_explicit(&s->ready, memory_order_acquire) == 0)
		return;
	memcpy(sample.key, s->key, METRIC_KEY_MAX);
	if (strncmp(sample.key, spec->name, length) != 0 ||
	    (sample.key[length] != METRIC_SEPARATOR && sample.key[length] != '\0'))
		return;
	if (spec->type == METRIC_HISTOGRAM) {
		put_histogram(w, &sample, s);
	} else if (load(s, 0) != METRIC_UNKNOWN) {
		put_head(w, &sample, "", NULL);
		put_number(w, load(s, 0));
	}
}

static void put_metric(struct writer *w, const struct metric_spec *spec,
		       const struct reader *readers)
{
	put(w, "# HELP ");
	put(w, spec->name);
	put(w, " ");
	put(w, spec->help);
	put(w, "\n# TYPE ");
	put(w, spec->name);
	put(w, " ");
	put(w, type_names[spec->type]);
	put(w, "\n");
	for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
		for (size_t k = 0; readers[i].file != NULL && k < METRIC_SERIES_MAX; k++)
			put_series(w, spec, programs[i], &readers[i].file->series[k]);
	}
}

int metric_render(const char *directory, struct buf *text, struct err *e)
{
	struct reader readers[ARRAY_SIZE(programs)] = { 0 };
	struct writer w = { .text = text };
	int result = 0;

	for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
		CLEANUP(cleanup_free) char *path = mem_printf("%s/%s", directory, programs[i]);
		if (map_to_read(&readers[i], path, e) < 0)
			result = -1;
	}
	for (int metric = 0; metric < METRIC_COUNT; metric++)
		put_metric(&w, metric_spec((enum metric)metric), readers);
	for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
		if (readers[i].file != NULL)
			(void)munmap(readers[i].file, sizeof(*readers[i].file));
	}
	if (w.failed)
		return err_set(e, ERR_TOO_LARGE, NULL, "more metrics than %zu bytes", text->max);
	return result;
}
