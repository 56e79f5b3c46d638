#ifndef FSA_BASE_LOG_H
#define FSA_BASE_LOG_H

#include <stdatomic.h>
#include <stddef.h>
#include <time.h>

#include "base/err.h"

/*
 * The log: one line of key=value (logfmt) on standard error (the journal's, under systemd), values
 * quoted and escaped as JSON does it where they need it, a line of at most 2,048 bytes, cut between
 * characters, written in one write(). Only mains, the router and the pass log; never a secret.
 *
 *     log_line(LOG_LEVEL_INFO, "pass done", LOG_INT("rows", n), LOG_STR("worker", name));
 */
enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

struct log_field {
	const char *key;
	const char *string; /* NULL: `number` counts */
	long long number;
};

#define LOG_STR(k, s) log_string_field(k, s)
#define LOG_INT(k, n) ((struct log_field) { .key = (k), .number = (long long)(n) })

static inline struct log_field log_string_field(const char *key, const char *string)
{
	return (struct log_field) { .key = key, .string = string ? string : "" };
}

#define log_line(level, message, ...)                                                              \
	log_fields(level, message, (const struct log_field[]) { __VA_ARGS__ },                     \
		   sizeof((const struct log_field[]) { __VA_ARGS__ }) / sizeof(struct log_field))

void log_fields(enum log_level level, const char *message, const struct log_field *fields,
		size_t count);
/* An error, with its kind, code and message. */
void log_err(enum log_level level, const char *message, const struct err *e);
/* The last line of level "error", from `msg=` on, and when it was written. It may lie in memory
 * that a program's processes share. */
struct log_last {
	atomic_flag busy;
	time_t at; /* 0: none yet */
	char text[256];
};

/* From now on the last error is kept there, too; NULL: nowhere. */
void log_keep_last_error(struct log_last *last);
/* Lines below this level are not written: "error", "warning", "info" (the default) or "debug". An
 * unknown name changes nothing. */
void log_set_level_name(const char *name);

#endif
