#ifndef FSA_STORE_KUBECONFIG_CHECK_H
#define FSA_STORE_KUBECONFIG_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/err.h"
#include "db/db.h"
#include "store/queue.h"

/* The check of a stored kubeconfig (sql/0026_kubeconfig_checks.sql, sql/0052_clusters.sql), from
 * both sides. */

/* {state: pending | running | done, checkedAt, checks: [{name, status, kind, code, headline,
 * action, detail}]}, as people are shown it; the checks are those of the kubeconfig that is stored
 * now, [] before the first. NULL if none is stored. The caller json_decref()s. The id of a user's
 * default cluster is the user's. */
int kubeconfig_check_get(struct db *db, const char *cluster_id, json_t **ret_check, struct err *e);
/* Makes it due, a minute after the last one at the earliest. Nothing to do where none is stored. */
int kubeconfig_check_ask(struct db *db, const char *cluster_id, struct err *e);

struct kubeconfig_check {
	const char *cluster_id, *user_id;
	int64_t generation, lease_epoch;
	int64_t version; /* of the kubeconfig */
	const void *sealed;
	size_t sealed_length;
	bool slow; /* the last one took its place for long, or its user is in debt */
};
struct kubeconfig_checks {
	PGresult *result;
	void *decoded;
	size_t count;
	struct kubeconfig_check *items;
};
struct kubeconfig_check_claim {
	struct queue_shard shard;
	unsigned limit;      /* of those whose last check was quick, or the first */
	unsigned slow_limit; /* of those that took two seconds or more, and of users in debt */
	uint64_t lease_ms;
	const char *foreign_keys; /* as for queue_claim() */
};
int kubeconfig_check_claim(struct db *db, const struct kubeconfig_check_claim *claim,
			   struct kubeconfig_checks *ret_checks, struct err *e);
void kubeconfig_checks_clear(struct kubeconfig_checks *checks);

/* Records the findings; nothing is changed if the lease is no longer this one. If the kubeconfig
 * was replaced meanwhile, only the lease is given back. `findings` NULL: it could not be tested,
 * and is due again in some seconds. */
int kubeconfig_check_record(struct db *db, const struct kubeconfig_check *check,
			    const json_t *findings, uint64_t took_ms, struct err *e);

#endif
