#ifndef FSA_KUBE_TARGET_H
#define FSA_KUBE_TARGET_H

#include "http/client.h"
#include "kube/client.h"
#include "kube/lane.h"
#include "kube/memory.h"

/* What client.c needs of a target; everybody else sees kube/client.h only. */
struct kube_target {
	char *server;
	char *namespace;
	char *ca_pem, *certificate_pem, *key_pem;
	char *token;         /* or NULL */
	char *authorization; /* the whole header, or NULL */
	struct http_trust trust;
	char *owner;               /* the user's id, or NULL */
	struct kube_target *whole; /* of which this is a share; or itself */
	struct kube_room room;
	struct kube_asker asker; /* of the whole */
};

#endif
