#ifndef FSA_RECONCILE_SAMPLE_H
#define FSA_RECONCILE_SAMPLE_H

#include <jansson.h>

#include "base/conf.h"
#include "manifest/manifest.h"

/*
 * What a new sandbox and a new database would be made of, to ask a cluster whether it would accept
 * them. None of it is ever stored; the name is one that nothing of ours has.
 */
struct sample {
	json_t *stateful_set;
	json_t *pod, *volume; /* as the StatefulSet's controller would make them */
	json_t *cluster;
};

/* `id`: for the label that says whose it is. */
void sample_make(const struct conf *conf, const struct manifest_settings *settings, const char *id,
		 const char *namespace, struct sample *ret_sample);
void sample_clear(struct sample *sample);

#endif
