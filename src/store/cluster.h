#ifndef FSA_STORE_CLUSTER_H
#define FSA_STORE_CLUSTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "db/db.h"
#include "store/store.h"

/* A user's clusters: each has a name and a kubeconfig (sql/0052_clusters.sql). Projects are in the
 * one that is named `default` unless another is chosen, and its id is its user's. */
#define CLUSTER_DEFAULT "default"
enum { CLUSTER_NAME_MAX = 32 };
#define CLUSTER_NAME_PATTERN "^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$"

/* What programs other than the reconciler may know about one. */
struct cluster_info {
	const char *id, *name;
	const char *region; /* NULL: not said by its owner */
	const char *server, *namespace, *account;
	const char *expires_at; /* NULL: not said by the credentials */
	bool expired;
	const char *updated_at;
	int64_t projects;       /* in it, those in the trash included */
	const char *away_since; /* since when something in it cannot be reached; NULL: it can */
};
struct cluster_rows {
	PGresult *result;
	size_t count;
	struct cluster_info *items;
};
/* All of a user, the default one first. */
int cluster_list(struct db *db, const char *user_id, struct cluster_rows *ret_rows, struct err *e);
/* One, as a list of one. ERR_NOT_FOUND CLUSTER_NOT_FOUND or, of the default one,
 * KUBECONFIG_MISSING. */
int cluster_get(struct db *db, const char *user_id, const char *id, struct cluster_rows *ret_rows,
		struct err *e);
void cluster_rows_clear(struct cluster_rows *rows);

struct cluster_new {
	const char *id, *user_id, *name;
	const char *server, *namespace, *account;
	int64_t expires_at; /* Unix seconds, 0: not said */
};
/* Creates it, or replaces the kubeconfig of the one with this id; the resources in it become due,
 * so that the next pass uses it. `text` is stored as `seal` seals it, to the key that only the
 * reconciler can open. ERR_CONFLICT CLUSTER_EXISTS (name taken); ERR_RATE_LIMITED
 * CLUSTER_QUOTA. */
int cluster_put(struct db *db, const struct cluster_new *cluster, const char *text,
		store_seal_fn *seal, const void *user, struct err *e);
/* Where it is, in its owner's words; NULL: nothing. */
int cluster_set_region(struct db *db, const char *user_id, const char *id, const char *region,
		       struct err *e);
/* ERR_NOT_FOUND CLUSTER_NOT_FOUND; ERR_CONFLICT CLUSTER_IN_USE names projects in it. */
int cluster_remove(struct db *db, const char *user_id, const char *id, struct err *e);

#endif
