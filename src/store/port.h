#ifndef FSA_STORE_PORT_H
#define FSA_STORE_PORT_H

#include "base/err.h"
#include "db/db.h"
#include "store/store.h"

/*
 * Ports of a sandbox that the internet reaches, each at an address of its own
 * (manifest_port_host()), besides the application's and the terminal's. Each change gives the
 * sandbox a new generation; the reconciler changes its Service, its Ingress and its NetworkPolicy,
 * and the pod stays.
 */

#define PORT_ACCESS_PUBLIC "public" /* anybody may connect */
#define PORT_ACCESS_TOKEN  "token"  /* who has a token or a link; sandboxd checks it */

struct port_new {
	int64_t port;       /* neither 3000 nor 7681, which have their addresses */
	const char *name;   /* what its owner calls it; NULL: nothing */
	const char *access; /* PORT_ACCESS_… */
};
/* Opens a port; one that is open gets this name and access. ERR_NOT_FOUND; ERR_RATE_LIMITED
 * PORT_QUOTA. */
int port_open(struct db *db, const char *user_id, const char *project_id, const char *sandbox_id,
	      const struct port_new *port, struct err *e);
/* Where a private port is that its caller may visit: an owner or editor of its project. */
struct port_place {
	char owner_id[STORE_ID_LENGTH + 1];
	char project_id[STORE_ID_LENGTH + 1], sandbox_id[STORE_ID_LENGTH + 1];
};
/* By the application's host, and its number. ERR_NOT_FOUND PORT_NOT_FOUND. */
int port_find(struct db *db, const char *user_id, const char *app_host, int port,
	      struct port_place *ret_place, struct err *e);
/* ERR_NOT_FOUND PORT_NOT_FOUND. */
int port_close(struct db *db, const char *user_id, const char *project_id, const char *sandbox_id,
	       const char *port_id, struct err *e);

#endif
