#ifndef KUBESIM_DEFAULTS_H
#define KUBESIM_DEFAULTS_H

#include "sim.h"

/* Fills in what the API server fills in beyond the defaults of the schema: values that depend on
 * other fields, on the previous object (NULL at a creation), or on what is free. */
void defaults_fill(struct sim *sim, const struct kind *kind, const json_t *before, json_t *object);

#endif
