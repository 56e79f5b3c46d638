#ifndef KUBESIM_CHECKS_H
#define KUBESIM_CHECKS_H

#include <jansson.h>

#include "refusal.h"

/* The checks of validate.h, one for each type that has its own: each adds the fields it refuses. */
#define REQUIRED  "FieldValueRequired"
#define INVALID   "FieldValueInvalid"
#define FORBIDDEN "FieldValueForbidden"
#define UNKNOWN   "FieldValueNotSupported"
#define NOT_FOUND "FieldValueNotFound"

enum { FIELD_MAX = 256 };

typedef void check_fn(const json_t *before, const json_t *after, struct refusal *r);

check_fn check_pod, check_stateful_set, check_claim;         /* check_workload.c */
check_fn check_service, check_ingress, check_network_policy; /* check_network.c */
check_fn check_secret, check_role_binding, check_cluster;    /* check_config.c */

/* The text at `path` is one of the choices, which end with NULL. */
void check_choice(const json_t *object, const char *path, const char *const *choices,
		  struct refusal *r);

#endif
