#ifndef FSA_RECONCILE_SAMPLE_H
#define FSA_RECONCILE_SAMPLE_H

#include <jansson.h>

#include "base/conf.h"
#include "manifest/manifest.h"

/*
 * The objects of a sample sandbox and a sample database, to ask a cluster whether it would accept
 * them. They are never stored, and no object of ours has their name.
 */
struct sample {
	json_t *stateful_set;
	json_t *pod, *volume;         /* as the StatefulSet's controller would create them */
	json_t *cluster, *cluster_v1; /* for each API of KubeBlocks */
};

/* `id`: for the label that names the owner. */
void sample_make(const struct conf *conf, const struct manifest_settings *settings, const char *id,
		 const char *namespace, struct sample *ret_sample);
void sample_clear(struct sample *sample);

#endif
