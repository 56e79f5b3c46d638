#ifndef FSA_RECONCILE_WANTED_H
#define FSA_RECONCILE_WANTED_H

#include <jansson.h>

#include "base/conf.h"
#include "base/err.h"
#include "crypto/seal.h"
#include "manifest/manifest.h"
#include "store/queue.h"

/* What every row needs beside itself: the operator's settings and environment, and the key with
 * which secrets of owners are opened. Loaded once a process. */
struct wanted_context {
	struct manifest_settings settings;
	struct keyring *owner_private;
	json_t *operator_environment; /* name → value */
};

/* ERR_INVALID names the option or file that is wrong. */
int wanted_context_load(const struct conf *conf, struct wanted_context *ret_context, struct err *e);
void wanted_context_clear(struct wanted_context *context);

/*
 * The objects a row should have in the cluster, as manifest/manifest.h makes them; the last of them
 * alone if its hash is `vouched`, that of the one in the cluster, which vouches for the others. The
 * environment of a sandbox is merged here; later wins: the operator's, the project's variables, the
 * last request's, DATABASE_URL, and what the system sets itself. ERR_INTERNAL: a secret of the row
 * cannot be opened (code names it). The caller json_decref()s the array.
 */
int wanted_objects(const struct wanted_context *context, const struct queue_row *row,
		   const struct queue_variables *variables, const char *vouched,
		   json_t **ret_objects, struct err *e);
/* The hash that the last of them carries. Errors as above. */
int wanted_hash(const struct wanted_context *context, const struct queue_row *row,
		const struct queue_variables *variables, char ret_hash[MANIFEST_HASH_SIZE],
		struct err *e);

#endif
