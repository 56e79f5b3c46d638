#ifndef FSA_STORE_SERVER_H
#define FSA_STORE_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "db/db.h"

/* What PostgreSQL says of itself. */
struct server_facts {
	int64_t pid;    /* of the process that serves this connection */
	bool is_local;  /* by a unix socket: it runs on this host */
	int64_t now_ms; /* its clock, since the epoch */
};

int server_facts(struct db *db, struct server_facts *ret_facts, struct err *e);

#endif
