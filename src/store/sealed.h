#ifndef FSA_STORE_SEALED_H
#define FSA_STORE_SEALED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/err.h"
#include "db/db.h"

/*
 * Everything that is stored sealed, wherever it lies, for fsactl, which changes the keys as
 * the schema's owner. A place is a column; a test compares the places with the schema.
 */
struct sealed_place {
	const char *ring; /* "cluster" or "owner", see crypto/seal.h */
	const char *name; /* "environment.value_sealed" */
};
extern const struct sealed_place sealed_places[];
extern const size_t sealed_place_count;

enum { SEALED_KEY_ID_BYTES = 8, SEALED_BATCH = 100 };

/* How many values of a place are sealed to which key: adds to `counts`, key's id in hex → number.
 * Values that do not have our form are counted under "". */
int sealed_count(struct db *db, size_t place, json_t *counts, struct err *e);

struct sealed_value {
	const char *row;     /* its key as text */
	const char *context; /* that it was sealed with */
	const void *sealed;
	size_t length;
};
struct sealed_rows {
	PGresult *result;
	void *decoded;
	size_t count;
	struct sealed_value *items;
};
/* Values that are sealed to another key than this, SEALED_BATCH at most, of the rows after `after`
 * (NULL: from the first). */
int sealed_find(struct db *db, size_t place, const uint8_t key_id[SEALED_KEY_ID_BYTES],
		const char *after, struct sealed_rows *ret_rows, struct err *e);
void sealed_rows_clear(struct sealed_rows *rows);

/* Puts another sealed form of the same secret in the place of `old`, unless it has changed
 * meanwhile. */
int sealed_replace(struct db *db, size_t place, const struct sealed_value *old, const void *sealed,
		   size_t length, struct err *e);

#endif
