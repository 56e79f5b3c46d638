#ifndef FSA_CLI_TUNNEL_H
#define FSA_CLI_TUNNEL_H

#include <pthread.h>

#include "sandbox.h"

/* Connections to ports of a sandbox's loopback. They share one token, which is renewed in time. */
struct tunnels {
	pthread_mutex_t mutex;
	struct sandbox *sandbox;
	uint64_t renewed_ms;
	uint64_t again_ms; /* not before that; after a renewal that failed */
};

/* Connects `fd` with the port until both sides have ended. */
int tunnel_run(struct tunnels *t, unsigned port, int fd, struct err *e);

#endif
