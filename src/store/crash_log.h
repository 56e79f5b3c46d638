#ifndef FSA_STORE_CRASH_LOG_H
#define FSA_STORE_CRASH_LOG_H

#include <stddef.h>

#include "base/err.h"
#include "db/db.h"

/* What a sandbox's container printed before it crashed the last time. The reconciler stores it with
 * its results (store/queue.h). */
struct crash_log {
	PGresult *result;
	void *decoded;
	const char *read_at;
	const void *sealed; /* NULL: there is none */
	size_t sealed_length;
};
int crash_log_get(struct db *db, const char *user_id, const char *sandbox_id,
		  struct crash_log *ret_log, struct err *e);
void crash_log_clear(struct crash_log *log);

#endif
