#ifndef FSA_STORE_IMPORT_H
#define FSA_STORE_IMPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "db/db.h"
#include "store/project.h"
#include "store/store.h"

/*
 * Imports rows that have ids already, for fsactl: each function adds one row inside the caller's
 * transaction, and says whether it did. Existing rows are never changed, so that an import can be
 * run again.
 */
enum import_outcome {
	IMPORT_ADDED,
	IMPORT_THERE, /* a row with this id: it came with an import before */
	IMPORT_TAKEN, /* something else has the name that must be unique */
};

struct import_user {
	const char *id, *name, *created_at;
};
int import_user(struct db *tx, const struct import_user *u, enum import_outcome *ret_outcome,
		struct err *e);

struct import_identity {
	const char *id, *user_id, *provider, *provider_user_id;
	const char *password_hash; /* PASSWORD only */
	const void *token_sealed;  /* NULL: none */
	size_t token_sealed_length;
};
/* The first of a user is the primary one. */
int import_identity(struct db *tx, const struct import_identity *i,
		    enum import_outcome *ret_outcome, struct err *e);

/* IMPORT_THERE also for a setting that the user has made meanwhile. */
struct import_setting {
	const char *user_id, *key;
	const void *value_sealed;
	size_t value_sealed_length;
};
int import_setting(struct db *tx, const struct import_setting *s, enum import_outcome *ret_outcome,
		   struct err *e);

struct import_project {
	const char *id, *user_id, *name, *description, *kube_name, *github_repo, *created_at;
};
/* Without resources; stopped. */
int import_project(struct db *tx, const struct import_project *p, enum import_outcome *ret_outcome,
		   struct err *e);

/* A part of a project, in the namespace and on the server of its owner's kubeconfig, desired and
 * shown as STOPPED: nothing happens in the cluster until somebody starts it. */
int import_sandbox(struct db *tx, const char *user_id, const char *project_id,
		   const struct sandbox_new *s, enum import_outcome *ret_outcome, struct err *e);
/* A database keeps its name, and with it its data. */
struct import_database {
	const char *id, *name, *version, *storage_size;
	const char *cpu_request, *cpu_limit, *memory_request, *memory_limit;
};
int import_database(struct db *tx, const char *user_id, const char *project_id,
		    const struct import_database *d, enum import_outcome *ret_outcome,
		    struct err *e);

struct import_variable {
	const char *id, *project_id, *key, *category;
	bool is_secret;
	const void *value_sealed;
	size_t value_sealed_length;
};
int import_variable(struct db *tx, const struct import_variable *v,
		    enum import_outcome *ret_outcome, struct err *e);

#endif
