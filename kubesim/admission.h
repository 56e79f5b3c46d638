#ifndef KUBESIM_ADMISSION_H
#define KUBESIM_ADMISSION_H

#include "sim.h"

/*
 * Refuses or changes objects because of their namespace: Pod Security, LimitRange, ResourceQuota,
 * and the debt of its owner. Sources: kubernetes.io, "Pod Security Standards", "Limit Ranges",
 * "Resource Quotas"; for the debt tools/stand/kube/billing.py.
 */

/* A pod or a claim about to be created; LimitRange defaults are filled in. 403. Others pass. */
int admit_create(struct sim *sim, const struct kind *kind, json_t *object, struct refusal *r);
/* A creation or change by a person. 403 while the namespace is suspended. */
int admit_debt(const struct sim *sim, const struct user *user, const struct kind *kind,
	       const char *namespace, const char *name, struct refusal *r);

#endif
