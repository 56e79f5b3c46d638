#ifndef FSA_KUBE_TARGET_H
#define FSA_KUBE_TARGET_H

#include "http/client.h"
#include "kube/client.h"

/* What client.c needs of a target; everybody else sees kube/client.h only. */
struct kube_target {
	char *server;
	char *namespace;
	char *ca_pem, *certificate_pem, *key_pem;
	char *token;         /* or NULL */
	char *authorization; /* the whole header, or NULL */
	struct http_trust trust;
};

#endif
