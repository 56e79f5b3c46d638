#ifndef FSA_MANIFEST_NETWORK_H
#define FSA_MANIFEST_NETWORK_H

#include "manifest/manifest.h"

/* The `spec` of each one's NetworkPolicy: its pods' allowed peers, in and out. Private to this
 * layer. */
json_t *network_sandbox_spec(const struct manifest_sandbox *s,
			     const struct manifest_settings *settings);
/* Of a database of ours: only its project's sandboxes may connect to it. */
json_t *network_plain_spec(const struct manifest_database *d,
			   const struct manifest_settings *settings);
/* Of KubeBlocks' ones. Does not restrict who may connect. */
json_t *network_database_spec(const struct manifest_database *d,
			      const struct manifest_settings *settings);

#endif
