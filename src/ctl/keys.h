#ifndef FSA_CTL_KEYS_H
#define FSA_CTL_KEYS_H

#include <stdbool.h>

#include <jansson.h>

#include "ctl/command.h"

/* The keys of both private files and how many values are sealed to each, as `fsactl keys list`
 * shows them; the caller json_decref()s. `*ret_missing`: something is sealed to a key that the file
 * lacks, and cannot be opened. */
int keys_state(const struct call *call, struct db *db, json_t **ret_rows, bool *ret_missing,
	       struct err *e);

/* How many values are sealed to each key of a ring ("cluster" or "owner"), added to `counts` under
 * the key's id. No key is needed for it. */
int keys_count(struct db *db, const char *ring, json_t *counts, struct err *e);

#endif
