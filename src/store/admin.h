#ifndef FSA_STORE_ADMIN_H
#define FSA_STORE_ADMIN_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "base/err.h"
#include "db/db.h"
#include "store/store.h"

/*
 * What an administrator sees and does, over all users: the only functions of the store that take no
 * owner, for fsactl, which acts as the schema's owner.
 *
 * Lists are arrays of objects, ready to be shown, their members in camelCase and no secret among
 * them; the caller json_decref()s.
 */

/* A user by id or name, a project by id, name or the name of one of its objects in the cluster,
 * names without case. ERR_NOT_FOUND with code USER_NOT_FOUND or PROJECT_NOT_FOUND; ERR_CONFLICT
 * with code AMBIGUOUS, and the ids, when several have that name. */
int admin_find_user(struct db *db, const char *reference, char ret_user_id[STORE_ID_LENGTH + 1],
		    struct err *e);
int admin_find_project(struct db *db, const char *reference,
		       char ret_project_id[STORE_ID_LENGTH + 1],
		       char ret_user_id[STORE_ID_LENGTH + 1], struct err *e);

/* `user_id` NULL: all users. */
int admin_users(struct db *db, const char *user_id, json_t **ret_rows, struct err *e);
int admin_identities(struct db *db, const char *user_id, json_t **ret_rows, struct err *e);
int admin_sessions(struct db *db, const char *user_id, json_t **ret_rows, struct err *e);
int admin_clusters(struct db *db, const char *user_id, json_t **ret_rows, struct err *e);

/* A user's access to a cluster, for fsactl to use. */
struct admin_access {
	const char *user_id, *user_name;
	const char *cluster_id;
	const char *label; /* "ada", of another than her default cluster "ada/tokyo" */
	const void *sealed;
	size_t sealed_length;
	int64_t version;
	const char *server, *namespace, *account;
	const char *expires_at; /* NULL: not said by the credentials */
	int64_t expires_in_s;   /* negative: since so long; when expires_at is not NULL */
};
struct admin_access_rows {
	PGresult *result;
	void *decoded;
	size_t count;
	struct admin_access *items;
};
/* The clusters of all users that are not disabled, or of one. */
int admin_access_list(struct db *db, const char *user_id, struct admin_access_rows *ret_rows,
		      struct err *e);
void admin_access_rows_clear(struct admin_access_rows *rows);

/* Either way all sessions end, so that one that was created at the moment of disabling is not valid
 * again when the user is enabled. Terminals get other tokens, which nobody can read meanwhile.
 * ERR_CONFLICT USER_DELETED: they are being deleted. */
int admin_set_disabled(struct db *db, const char *user_id, bool disabled, struct err *e);

/* `role`: "admin" or "user". It counts from their next request on. */
int admin_set_role(struct db *db, const char *user_id, const char *role, struct err *e);

/* What they are called and, if they have a password, log in as; sessions go on. `ret_old_name` is
 * the caller's to free(). ERR_CONFLICT USER_EXISTS. */
int admin_rename_user(struct db *tx, const char *user_id, const char *name, char **ret_old_name,
		      struct err *e);

struct admin_project_filter {
	const char *user_id;    /* NULL: of all users */
	const char *project_id; /* NULL: all */
	bool all;               /* also those whose deletion has been asked for */
};
int admin_projects(struct db *db, const struct admin_project_filter *filter, json_t **ret_rows,
		   struct err *e);
/* The desired state, the status and the cause of each resource of a project, with ages in
 * milliseconds. */
int admin_resources(struct db *db, const char *project_id, json_t **ret_rows, struct err *e);
/* Names of a project's variables, without values. */
int admin_variables(struct db *db, const char *project_id, json_t **ret_rows, struct err *e);
int admin_events(struct db *db, const char *project_id, unsigned limit, json_t **ret_rows,
		 struct err *e);
/* Makes a project's resources due at once, as if nothing had failed yet. Those in ERROR are shown
 * to be on their way again, and so have a new deadline. ERR_NOT_FOUND PROJECT_NOT_FOUND. */
int admin_retry(struct db *db, const char *project_id, const char *user_id, struct err *e);

/* Where each resource of all users is, with its owner. */
int admin_places(struct db *db, json_t **ret_rows, struct err *e);
/* One object: the number of due resources and the time for which the oldest has been due (dueCount,
 * oldestDueMs), and the number in ERROR. */
int admin_queue(struct db *db, json_t **ret_queue, struct err *e);
/* Names of the programs' roles that are missing on the server, or lack the rights that their
 * program needs: the database was copied without them. */
int admin_missing_roles(struct db *db, json_t **ret_rows, struct err *e);

/* Removes a project whose deletion was asked for, without its resources having been confirmed to be
 * gone: whatever there is of them in the cluster stays there. ERR_CONFLICT with code NOT_DELETED;
 * ERR_NOT_FOUND PROJECT_NOT_FOUND. */
int admin_forget(struct db *db, const char *project_id, const char *user_id, struct err *e);

struct admin_audit_filter {
	const char *user_id; /* done by this user, or to them by an administrator; NULL: all */
	const char *action;  /* its beginning; NULL: any */
	const char *since;   /* a time that PostgreSQL reads, in UTC; NULL: all */
	uint64_t since_ms;   /* before now; 0: all */
	unsigned limit;
};
/* ERR_INVALID: `since` is no time. */
int admin_audit(struct db *db, const struct admin_audit_filter *filter, json_t **ret_rows,
		struct err *e);

#endif
