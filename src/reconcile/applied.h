#ifndef FSA_RECONCILE_APPLIED_H
#define FSA_RECONCILE_APPLIED_H

#include <stdbool.h>

#include <jansson.h>

/*
 * The objects of a row that were applied before its work was complete: if the lease is given back
 * in between, because the server is too busy, the next work on the row applies the rest. Kept with
 * a row (queue_row.observed) as "applied" until its work has a result, and valid only for one
 * desired state of one generation.
 */

/* `key` says which: its hash (reconcile/desired.h) and the row's generation. */
void applied_note(json_t *observed, const char *key, const json_t *desired);
bool applied_has(const json_t *observed, const char *key, const json_t *desired);
void applied_forget(json_t *observed);

#endif
