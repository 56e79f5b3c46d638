#ifndef FSA_RECONCILE_DESIRED_H
#define FSA_RECONCILE_DESIRED_H

#include <jansson.h>

#include "base/buf.h"
#include "base/conf.h"
#include "base/err.h"
#include "crypto/seal.h"
#include "manifest/manifest.h"
#include "store/queue.h"

struct kind;

/* What the desired state of every row needs in addition to the row: the operator's settings and
 * environment, and the key that opens secrets of owners. Loaded once per process. */
struct desired_context {
	struct manifest_settings settings;
	struct keyring *owner_private;
	json_t *operator_environment; /* name → value */
	const char *site;             /* its origin */
};

/* ERR_INVALID names the option or file that is wrong. */
int desired_context_load(const struct conf *conf, struct desired_context *ret_context,
			 struct err *e);
void desired_context_clear(struct desired_context *context);

/* Opens a secret of a row into `ret_plain`, for buf_wipe() whether it fails or not. ERR_INTERNAL:
 * it cannot be opened; the code names it. */
int desired_open_secret(const struct desired_context *context, const char *secret_context,
			const void *sealed, size_t length, struct buf *ret_plain, struct err *e);

struct manifest_resources desired_resources(const struct queue_row *row);

/*
 * The desired state of one row in the cluster. Its inputs are read, and their secrets opened, once;
 * objects are built on demand, and once. The arguments of desired_state_new() must outlive it.
 */
struct desired_state;

struct desired_state *desired_state_new(const struct desired_context *context,
					const struct kind *kind, const struct queue_row *row,
					const struct queue_variables *variables);
/* The row's kind was decided; before anything is loaded. */
void desired_state_set_kind(struct desired_state *d, const struct kind *kind);
void desired_state_free(struct desired_state *d);

/* Reads the inputs, unless that was done before; call this before the following functions.
 * ERR_INTERNAL: a secret of the row cannot be opened. */
int desired_state_load(struct desired_state *d, struct err *e);
/* The hash of all objects; "" until loaded. */
const char *desired_state_hash(const struct desired_state *d);
/*
 * The anchor (reconcile/kind.h); and all objects, with the anchor last. Immutable fields are copied
 * from `live`, the one in the cluster (NULL: there is none). Borrowed.
 */
json_t *desired_state_anchor(struct desired_state *d, const json_t *live);
json_t *desired_state_objects(struct desired_state *d, const json_t *live);
/* Drops everything but the anchor and the hash, so that no secrets are kept while responses are
 * pending. */
void desired_state_shrink(struct desired_state *d);

#endif
