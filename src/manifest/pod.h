#ifndef FSA_MANIFEST_POD_H
#define FSA_MANIFEST_POD_H

#include <jansson.h>

#include "manifest/manifest.h"

/* Parts of the pods that we make. Private to this layer. */

/* Pod Security "restricted", as this user (0: the image's), with volumes of this group; and of a
 * container, with a root file system that nothing can be hidden in. */
json_t *pod_security(long user, int group);
json_t *pod_container_security(void);

/* Requests and limits. `storage_request`, of the node's disk: no more than the limit. */
json_t *pod_resources(const struct manifest_resources *r, const char *storage_request);

/* Whether a connection to the port is accepted. */
json_t *pod_port_probe(int port, int period_s, int failures);
json_t *pod_port(const char *name, int port);
json_t *pod_mount(const char *volume, const char *path);
json_t *pod_empty_volume(const char *name);
/* For imagePullSecrets; IF() when there is none. */
json_t *pod_pull_secrets(const struct manifest_settings *settings);

/* The `spec` of a volume claim. */
json_t *pod_claim_spec(const char *size, const char *storage_class,
		       const struct manifest_settings *settings);

#endif
