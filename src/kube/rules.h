#ifndef FSA_KUBE_RULES_H
#define FSA_KUBE_RULES_H

#include <stdbool.h>

#include <jansson.h>

#include "kube/client.h"

/*
 * What a SelfSubjectRulesReview says about an account. It comes from a user's API server, so it may
 * have any shape. Authorizers other than RBAC, such as those of large providers, do not list what
 * they allow; the response then says that it is incomplete.
 */
bool kube_rules_allow(const json_t *review, enum kube_resource resource, const char *verb);
bool kube_rules_complete(const json_t *review);

#endif
