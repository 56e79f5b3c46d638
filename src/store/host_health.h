#ifndef FSA_STORE_HOST_HEALTH_H
#define FSA_STORE_HOST_HEALTH_H

#include <jansson.h>

#include "base/err.h"
#include "db/db.h"

/*
 * What fsactl doctor found last on each host: the findings that are not in order, each an object of
 * health, check, subject, message and advice, and how many others there were. Hosts that recorded
 * none for 30 days are forgotten.
 */
int host_health_record(struct db *db, const char *host, json_t *findings, size_t in_order,
		       struct err *e);
/* host, checkedAt, inOrder, findings; by host. The caller json_decref()s. */
int host_health_list(struct db *db, json_t **ret_rows, struct err *e);

#endif
