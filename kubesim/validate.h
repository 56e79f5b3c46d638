#ifndef KUBESIM_VALIDATE_H
#define KUBESIM_VALIDATE_H

#include <jansson.h>

#include "kind.h"
#include "refusal.h"

/*
 * What the API server checks of what the project writes: names, labels, required fields, fields
 * that cannot change. 422 with a cause for each. Of what the project does not write, less.
 */

/* `before` is NULL at a creation. Both are complete, with defaults. */
int validate(const struct kind *kind, const json_t *before, const json_t *after, struct refusal *r);

/* The checks that the API server makes by decoding: a Secret's data must be base64. 400. */
int validate_decoding(const struct kind *kind, const json_t *object, struct refusal *r);

#endif
