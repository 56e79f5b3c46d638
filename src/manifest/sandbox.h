#ifndef FSA_MANIFEST_SANDBOX_H
#define FSA_MANIFEST_SANDBOX_H

#include "manifest/manifest.h"

/* The parts of a sandbox, in sandbox.c and workload.c. Of this layer only. */

enum { PORT_APP = 3000, PORT_TTYD = 7681 };

/* The labels that each of its objects, its pod and its volume carry. */
json_t *sandbox_labels(const struct manifest_sandbox *s);
/* "<name>-<part>". The caller frees. */
char *sandbox_part_name(const struct manifest_sandbox *s, const char *part);
/* The variables as the Secret has them: base64 by name. */
json_t *sandbox_secret_data(const struct manifest_sandbox *s);

#endif
