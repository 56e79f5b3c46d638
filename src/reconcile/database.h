#ifndef FSA_RECONCILE_DATABASE_H
#define FSA_RECONCILE_DATABASE_H

#include "reconcile/kind.h"

/* What the kinds of databases share: kind.hash, companions and anchor, of inputs that begin with a
 * struct manifest_database; that struct, from a row, without the password; and that a database
 * depends on nothing. */
void database_hash(const void *inputs, const struct manifest_settings *settings,
		   char ret_hash[MANIFEST_HASH_SIZE]);
json_t *database_companions(const void *inputs, const struct manifest_settings *settings);
json_t *database_anchor(const void *inputs, const struct manifest_settings *settings,
			const char *hash);
struct manifest_database database_of(const struct queue_row *row);
bool database_needs_nothing(const struct queue_row *row);

#endif
