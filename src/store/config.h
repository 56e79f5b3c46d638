#ifndef FSA_STORE_CONFIG_H
#define FSA_STORE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "db/db.h"

/* A user's settings. */

/* A setting's value may be a secret (an API key), so it is stored sealed. */
struct setting {
	const char *key;
	const char *value; /* stored by a version that did not seal yet; else NULL */
	const void *value_sealed;
	size_t value_sealed_length;
};
struct setting_rows {
	PGresult *result;
	void *decoded;
	size_t count;
	struct setting *items;
};
int setting_list(struct db *db, const char *user_id, struct setting_rows *ret_rows, struct err *e);
void setting_rows_clear(struct setting_rows *rows);
/* Creates or replaces. A user has at most 100 (ERR_UNPROCESSABLE TOO_MANY_SETTINGS); puts at the
 * same moment may pass that by their number. */
int setting_put(struct db *db, const char *user_id, const char *key, const void *value_sealed,
		size_t value_sealed_length, struct err *e);
int setting_delete(struct db *db, const char *user_id, const char *key, struct err *e);
/* After a change of settings that sandboxes get: each sandbox of the user is a new generation. As
 * for a change of variables, ERR_DATA_AT_RISK if files would be lost, unless `force`. */
int setting_roll_sandboxes(struct db *db, const char *user_id, bool force, struct err *e);

#endif
