#ifndef FSA_RECONCILE_WARN_H
#define FSA_RECONCILE_WARN_H

#include <jansson.h>

#include "domain/warning.h"
#include "reconcile/assess.h"

/*
 * The warnings of a row (domain/warning.h) while it is worked on: an array of {code, message},
 * begun with those that held last, so that what cannot be judged this time stays as it was.
 */

/* Those that held last. The caller json_decref()s. */
json_t *warn_begin(const struct queue_row *row);
/* The warning holds, and this is what is to be said of it; or it does not. */
void warn_set(json_t *warnings, enum warning warning, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void warn_clear(json_t *warnings, enum warning warning);

/*
 * A warning of one kind of resource (kind.judges): what must have been listed to judge it, and
 * whether it holds, which then says why.
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
