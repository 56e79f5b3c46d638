#ifndef FSA_KUBE_TARGET_H
#define FSA_KUBE_TARGET_H

#include <sys/queue.h>

#include "http/client.h"
#include "kube/client.h"
#include "kube/memory.h"

struct operation;
TAILQ_HEAD(operation_list, operation);

/* What client.c needs of a target; everybody else sees kube/client.h only. */
struct kube_target {
	char *server;
	char *namespace;
	char *ca_pem, *certificate_pem, *key_pem;
	char *token;         /* or NULL */
	char *authorization; /* the whole header, or NULL */
	struct http_trust trust;
	struct kube_target
		*owner; /* whose credentials these are: itself, or of what it is a share */
	struct kube_room room;
	/* of an owner: its requests at its server */
	size_t in_flight;
	struct operation_list waiting;
	TAILQ_ENTRY(kube_target) link; /* while any waits */
};

#endif
