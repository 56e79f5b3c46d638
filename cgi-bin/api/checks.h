#ifndef FSA_API_CHECKS_H
#define FSA_API_CHECKS_H

#include <stdint.h>

#include "base/err.h"
#include "web/field.h"

/* Checkers for field tables, and what they leave open. */

/* "2026-11-23" or "2026-11-23T20:51:32[.042](Z|+01:00)", of the calendar. */
int check_time(const char *text, struct err *e);
/* The same as a moment: a bare date is its first, or its last millisecond, UTC. The caller frees.
 * NULL stays NULL. */
char *time_from(const char *text);
char *time_to(const char *text);

/* Pages of a list that is kept by ids which count up: limit and cursor, which is the id that the
 * next page begins before. */
enum { PAGE_DEFAULT = 50, CURSOR_DIGITS_MAX = 19 };
extern const struct field page_query[];
int64_t cursor_id(const char *text); /* 0 for NULL */

/* For the schema, what these take but for the calendar, and but for names that the system keeps. */
#define TIME_PATTERN                                                                               \
	"^(19|2[0-9])[0-9]{2}-((0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])|(0[13-9]|1[0-2])-(29|30)|"   \
	"(0[13578]|1[02])-31)"                                                                     \
	"(T([01][0-9]|2[0-3])(:[0-5][0-9]){2}(\\.[0-9]{1,6})?(Z|[+-](0[0-9]|1[0-3]):[0-5][0-9]))?" \
	"$"
#define ENVIRONMENT_KEY_PATTERN "^[A-Za-z_][A-Za-z0-9_]*$"
#define IMAGE_PATTERN           "^[A-Za-z0-9][A-Za-z0-9._:/@-]*$"
#define CATEGORY_PATTERN        "^(auth|payment|ttyd|file_browser|general|secret)$"
#define PROJECT_NAME_PATTERN    "^[A-Za-z]([A-Za-z0-9 -]*[A-Za-z0-9])?$"

int check_variable_value(const char *value, struct err *e);
int check_display_name(const char *name, struct err *e); /* as for a project's name */
int check_size_name(const char *name, struct err *e);
int check_template_name(const char *name, struct err *e); /* store/size.h */
int check_cluster_name(const char *name, struct err *e);  /* store/cluster.h */
int check_image(const char *image, struct err *e);        /* store/image.h */
int check_wake(const char *who, struct err *e);           /* store/visit.h */
int check_category(const char *category, struct err *e);
int check_setting_key(const char *key, struct err *e);

#endif
