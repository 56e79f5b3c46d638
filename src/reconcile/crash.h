#ifndef FSA_RECONCILE_CRASH_H
#define FSA_RECONCILE_CRASH_H

#include <stdbool.h>

#include "reconcile/work.h"

/*
 * What a container printed before it crashed, for the owner of the row. It may contain their
 * secrets, so it is kept sealed (store/crash_log.h), apart from the cause, which others may see.
 */

/* Whether the cause is a crash whose log has not been read yet. Each is asked for once. */
bool crash_is_new(const struct work *w);
/* Reads it, and then calls `next`. */
void crash_read_log(struct work *w, void (*next)(struct work *));
/* From there: keeps it, if there is one, for crash_to_result(). */
void crash_keep_log(struct work *w);
void crash_to_result(const struct work *w, struct queue_result *result);

#endif
