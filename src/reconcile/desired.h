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

/* What every row needs beside itself: the operator's settings and environment, and the key with
 * which secrets of owners are opened. Loaded once a process. */
struct desired_context {
	struct manifest_settings settings;
	struct keyring *owner_private;
	json_t *operator_environment; /* name → value */
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
 * What one row should have in the cluster. Its inputs are read, and the secrets among them opened,
 * once; objects are built when they are asked for, and once. What it is made of must outlive it.
 */
struct desired_state;

struct desired_state *desired_state_new(const struct desired_context *context,
					const struct kind *kind, const struct queue_row *row,
					const struct queue_variables *variables);
void desired_state_free(struct desired_state *d);

/* Reads the inputs, if that was not done before. ERR_INTERNAL: a secret of the row cannot be
 * opened. To be called before what follows. */
int desired_state_load(struct desired_state *d, struct err *e);
/* The hash of all objects; "" before it was loaded. */
const char *desired_state_hash(const struct desired_state *d);
/*
 * The anchor (reconcile/kind.h), and all objects with it as the last. What cannot be changed of the
 * one in the cluster, `live`, is as there; NULL: it is not there. Borrowed.
 */
json_t *desired_state_anchor(struct desired_state *d, const json_t *live);
json_t *desired_state_objects(struct desired_state *d, const json_t *live);
/* Forgets all but the anchor and the hash: secrets are not kept while answers are waited for. */
void desired_state_shrink(struct desired_state *d);

#endif
