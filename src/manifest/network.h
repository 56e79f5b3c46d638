#ifndef FSA_MANIFEST_NETWORK_H
#define FSA_MANIFEST_NETWORK_H

#include "manifest/manifest.h"

/* The `spec` of the NetworkPolicy that each brings: who may talk to its pods, and to whom they may.
 * Of this layer only. */
json_t *network_sandbox_spec(const struct manifest_sandbox *s,
			     const struct manifest_settings *settings);
/* Says nothing about who may connect to a database. */
json_t *network_database_spec(const struct manifest_database *d,
			      const struct manifest_settings *settings);

#endif
