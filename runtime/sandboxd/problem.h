#ifndef SANDBOXD_PROBLEM_H
#define SANDBOXD_PROBLEM_H

#include <jansson.h>

#include "base/err.h"

/* Errors in the form that clients get. Each code has one HTTP status, in the table of problem.c. */

/* Fills `e` and returns -1; `code` is in the table. */
int problem(struct err *e, const char *code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* The same for errno after an operation on a file: DISK_FULL, NOT_FOUND, … */
int problem_errno(struct err *e, const char *what);

int problem_status(const struct err *e);
const char *problem_title(int status);
/* RFC 9457's members and the site's own. */
json_t *problem_json(const struct err *e, const char *request_id);

/* "2026-11-29T10:00:00.123Z" of seconds and nanoseconds. */
json_t *json_time(int64_t seconds, long nanoseconds);

#endif
