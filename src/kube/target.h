#ifndef FSA_KUBE_TARGET_H
#define FSA_KUBE_TARGET_H

#include "http/client.h"
#include "kube/client.h"
#include "kube/limiter.h"
#include "kube/memory.h"

/* The parts of a target that client.c needs; all other users include only kube/client.h. */
struct kube_target {
	char *server;
	char *namespace;
	char *ca_pem, *certificate_pem, *key_pem;
	char *token;         /* or NULL */
	char *authorization; /* the whole header, or NULL */
	struct http_trust trust;
	char *owner;               /* the user's id, or NULL */
	struct kube_target *whole; /* what this was made from by kube_target_share(); or itself */
	struct kube_budget budget;
	struct kube_tenant tenant; /* of the whole */
};

#endif
