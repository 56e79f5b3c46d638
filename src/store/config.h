#ifndef FSA_STORE_CONFIG_H
#define FSA_STORE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "db/db.h"
#include "store/store.h"

/* A user's settings and kubeconfig. */

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

/* The facts about a kubeconfig that programs other than the reconciler may know. */
struct kubeconfig_info {
	PGresult *result;
	const char *server, *namespace, *account;
	const char *expires_at; /* NULL: not said by the credentials */
	bool expired;
	const char *updated_at;
};
/* ERR_NOT_FOUND with code KUBECONFIG_MISSING if none was stored. */
int kubeconfig_info_get(struct db *db, const char *user_id, struct kubeconfig_info *ret_info,
			struct err *e);
void kubeconfig_info_clear(struct kubeconfig_info *info);

struct kubeconfig_new {
	const char *user_id;
	const char *server, *namespace, *account;
	int64_t expires_at; /* Unix seconds, 0: not said */
};
/* Creates or replaces; the user's resources become due, so that the next pass uses it. `text` is
 * stored as `seal` seals it, to the key that only the reconciler can open. */
int kubeconfig_put(struct db *db, const struct kubeconfig_new *k, const char *text,
		   store_seal_fn *seal, const void *user, struct err *e);

#endif
