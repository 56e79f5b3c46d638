#ifndef FSA_RECONCILE_APPLIED_H
#define FSA_RECONCILE_APPLIED_H

#include <stdbool.h>

#include <jansson.h>

/*
 * What has been applied of a row's objects while its work is not done: if the lease is given back
 * in the middle, because the server is too busy, the next work applies the rest. Kept with a row
 * (queue_row.observed) as "applied" until the work on it has a result, and good for one desired
 * state of one generation only.
 */

/* `key` says which: its hash (reconcile/desired.h) and the row's generation. */
void applied_note(json_t *observed, const char *key, const json_t *desired);
bool applied_has(const json_t *observed, const char *key, const json_t *desired);
void applied_forget(json_t *observed);

#endif
