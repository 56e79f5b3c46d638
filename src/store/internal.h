#ifndef FSA_STORE_INTERNAL_H
#define FSA_STORE_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/err.h"
#include "db/db.h"
#include "domain/types.h"
#include "store/project.h"
#include "store/queue.h"

/*
 * What the files of the store share.
 *
 * Lock order. A transaction that writes a status, or more than one row of resources, first locks
 * the projects they belong to, in the order of their ids (store_lock_project(), or a statement of
 * its own). So such transactions never deadlock, and each aggregates a project's status from what
 * the one before it wrote. A claim waits for nobody (SKIP LOCKED).
 *
 * Many rows go to a statement as one parameter: a JSON array for jsonb_to_recordset().
 */

/*
 * Columns of a SELECT: a list LIST(X) of X(NAME, "expression") gives both the enum of their numbers
 * and the text, so that these cannot differ. The first column is a constant, COLUMN_NONE.
 */
#define STORE_COLUMN_ENUM(name, expression) name,
#define STORE_COLUMN_SQL(name, expression)  ", " expression
#define STORE_SELECT(list)                  "SELECT 0" list(STORE_COLUMN_SQL) " "

/* Conditions on rows of resources: whether one may be claimed now, as far as leases go; that its
 * owner is not held, after a stall (store/shard.h) or while those in debt pause (store/spending.h);
 * and, on any row with a user_id, that it is in a shard (see struct queue_shard). uuid_hash() is
 * what PostgreSQL's own hash indexes of uuids use. */
#define STORE_IS_FREE "due_at <= now() AND (leased_until IS NULL OR leased_until < now())"
#define STORE_PAUSE   "(SELECT until FROM spending_pause)"
#define STORE_DEBTORS_HELD                                                                         \
	"SELECT user_id, " STORE_PAUSE " FROM spending WHERE " STORE_PAUSE " > now()"              \
	" AND owed_us >= 10000 AND at > now() - interval '1 hour'"
#define STORE_HOLDS                                                                                \
	"SELECT user_id, until FROM stalls WHERE until > now() UNION ALL " STORE_DEBTORS_HELD
#define STORE_NOT_HELD "user_id NOT IN (SELECT user_id FROM (" STORE_HOLDS ") AS held)"
#define STORE_IN_SHARD(index, count)                                                               \
	"(uuid_hash(user_id) & 2147483647) % " count "::integer = " index "::integer"
#define STORE_SHARD(shard) DB_INT((shard)->index), DB_INT((shard)->count > 0 ? (shard)->count : 1)

/* A project's sandboxes, the first one first, and then its database. */
#define STORE_RESOURCE_ORDER(r) r ".kind, " r ".additional, " r ".created_at, " r ".id"
/* Of rows of resources, which sandboxes are meant; `id` is a parameter, as SANDBOX_ALL or
 * SANDBOX_FIRST of project.h or an id. */
#define STORE_IS_CHOSEN(r, id)                                                                     \
	"(CASE WHEN " id "::text IS NULL THEN true WHEN " id " = '' THEN NOT " r                   \
	".additional ELSE " r ".id::text = " id " END)"

/* The cluster of a project: a row, or none if its owner has stored no kubeconfig. */
#define STORE_CLUSTER_OF(project)                                                                  \
	" SELECT FROM projects p JOIN clusters c ON c.id = coalesce(p.cluster_id, p.user_id)"      \
	" WHERE p.id = " project

/* Of a resource `r` and its project's database `d`: whether `r` has to do with that. A sandbox that
 * stays is without a database that goes. */
#define STORE_HAS_DATABASE(r, d) "(" d ".desired <> 'GONE' OR " r ".desired = 'GONE')"

/* What administrators see of a user `u`. */
#define STORE_ADMIN_USER                                                                           \
	" u.id, u.name, u.role,"                                                                   \
	" (SELECT string_agg(provider::text, ' ' ORDER BY is_primary DESC, created_at)"            \
	"  FROM identities WHERE user_id = u.id) AS providers,"                                    \
	" iso8601(u.created_at) AS \"createdAt\", iso8601(u.disabled_at) AS \"disabledAt\","       \
	" iso8601(u.deleted_at) AS \"deletedAt\","                                                 \
	" (SELECT iso8601(expires_at) FROM invitations WHERE user_id = u.id) AS \"invitedUntil\"," \
	" has_no_password(u.id) AS \"isNew\","                                                     \
	" (SELECT iso8601(max(last_seen_at)) FROM sessions WHERE user_id = u.id) AS "              \
	"\"lastSeenAt\""

/* Decoded bytea values of a result. `*decoded` begins as NULL and owns them. */
const void *store_bytes(void **decoded, const PGresult *r, int row, int column, size_t *ret_length);
void store_bytes_free(void **decoded);

/* Values of enum columns. ERR_INTERNAL for a word this build does not know, of a newer schema. */
int store_status(const PGresult *r, int row, int column, enum status *ret_status, struct err *e);
int store_desired(const PGresult *r, int row, int column, enum desired *ret_desired, struct err *e);
int store_stage(const PGresult *r, int row, int column, enum stage *ret_stage, struct err *e);
int store_form(const PGresult *r, int row, int column, enum database_form *ret_form, struct err *e);
int store_kind(const PGresult *r, int row, int column, enum resource_kind *ret_kind, struct err *e);

/* JSON for jsonb_to_recordset(): bytes as the text form of bytea; text with what is not UTF-8
 * replaced; both null for NULL. */
json_t *store_json_bytes(const void *bytes, size_t length);
json_t *store_json_text(const char *text);
/* Runs a statement whose columns are called like members of JSON, and gives its rows as an array of
 * objects: numbers, booleans and jsonb as such, anything else as text. */
int store_rows(struct db *db, const struct db_statement *statement, const struct db_args *args,
	       json_t **ret_rows, struct err *e);
/* Several rows, their ids in the first column, answer to one name. Returns -1. */
int store_ambiguous(const char *what, const char *name, const PGresult *r, struct err *e);

/* Locks a project of this user until the end of the transaction. `*ret_deleted`: its deletion has
 * been asked for; NULL: then it is ERR_NOT_FOUND, too. */
int store_lock_project(struct db *tx, const char *user_id, const char *project_id,
		       bool *ret_deleted, struct err *e);
/* After changes of resources: aggregates the projects' status, with an event where it changes. */
int store_settle_projects(struct db *tx, const json_t *project_ids, struct err *e);
int store_settle_project(struct db *tx, const char *project_id, struct err *e);
/* Removes those whose deletion was asked for and that have no resource left. */
int store_remove_projects(struct db *tx, const json_t *project_ids, struct err *e);
/* After a change of what sandboxes are made from (variables, restart): a new generation. */
int store_roll_sandboxes(struct db *tx, const char *project_id, const char *sandbox_id,
			 struct err *e);

int store_project_not_found(struct err *e);
int store_sandbox_not_found(struct err *e);
int store_database_not_found(struct err *e);
int store_kubeconfig_missing(struct err *e);
/* Passes an error on; for a unique violation, names what is already in use (projects, generated
 * names). */
int store_explain_conflict(const struct err *failed, struct err *e);
/* Two arguments: the id and the terminal's token. */
#define STORE_SANDBOX(s)                                                                           \
	DB_TEXT((s)->id), DB_BYTES((s)->terminal_token_sealed, (s)->terminal_token_sealed_length)

#endif
