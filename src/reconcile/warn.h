#ifndef FSA_RECONCILE_WARN_H
#define FSA_RECONCILE_WARN_H

#include <jansson.h>

#include "domain/warning.h"
#include "reconcile/assess.h"

/*
 * The warnings of a row (domain/warning.h) during its work: an array of {code, message} that begins
 * with the previous warnings, so that those that cannot be judged this time stay.
 */

/* The previous warnings. The caller json_decref()s. */
json_t *warn_begin(const struct queue_row *row);
/* Sets the warning with this message; or clears it. */
void warn_set(json_t *warnings, enum warning warning, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void warn_clear(json_t *warnings, enum warning warning);

/*
 * A warning of one kind of resource (kind.judges): the lists that are needed to judge it, and the
 * function that says whether it holds, and why.
 */
enum { WARN_MESSAGE_MAX = 512 };
struct judge {
	enum warning warning;
	unsigned needs; /* as OBSERVE() */
	bool (*holds)(const struct view *v, const struct assessment *a,
		      char ret_message[WARN_MESSAGE_MAX]);
};

bool warn_volume_going(const struct view *v, const struct assessment *a,
		       char ret_message[WARN_MESSAGE_MAX]);
bool warn_volume_gone(const struct view *v, const struct assessment *a,
		      char ret_message[WARN_MESSAGE_MAX]);
bool warn_volume_replaced(const struct view *v, const struct assessment *a,
			  char ret_message[WARN_MESSAGE_MAX]);
bool warn_restarted(const struct view *v, const struct assessment *a,
		    char ret_message[WARN_MESSAGE_MAX]);

/* Sets and clears those that can be judged by what was observed. */
void warn_of_observation(json_t *warnings, const struct view *v, const struct assessment *a);

#endif
