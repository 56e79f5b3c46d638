#ifndef FSA_API_CHECKS_H
#define FSA_API_CHECKS_H

#include <stdint.h>

#include "base/err.h"

/* Checkers for field tables, and what they leave open. */

/* "2026-11-23" or "2026-11-23T20:51:32[.042](Z|+01:00)", of the calendar. */
int check_time(const char *text, struct err *e);
/* The same as a moment: a bare date is its first, or its last millisecond, UTC. The caller frees.
 * NULL stays NULL. */
char *time_from(const char *text);
char *time_to(const char *text);

/* Where the next page of a list begins: the id of a row, which counts up. */
enum { CURSOR_DIGITS_MAX = 19 };
int check_cursor(const char *text, struct err *e);
int64_t cursor_id(const char *text); /* 0 for NULL */

int check_variable_value(const char *value, struct err *e);
int check_category(const char *category, struct err *e);
int check_setting_key(const char *key, struct err *e);

#endif
