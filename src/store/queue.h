#ifndef FSA_STORE_QUEUE_H
#define FSA_STORE_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/err.h"
#include "db/db.h"
#include "domain/types.h"
#include "store/column.h"
#include "store/store.h"

/*
 * The reconciler's side of resources. A row is claimed by one pass at a time; each claim raises its
 * lease_epoch, and what is recorded names the epoch and the generation acted on: a late writer
 * changes nothing. No transaction is open between claim and record.
 */
/* clang-format off */
/* The connection of a database. It belongs to one Cluster object; a later one of the same name has
 * another. host NULL: there is no connection; cluster_uid NULL: not known. */
struct queue_connection {
	CONNECTION_COLUMNS(COLUMN_MEMBER, )
	CONNECTION_QUEUE_COLUMNS(COLUMN_MEMBER, )
};

/* A row with the inputs of its desired state: columns of resources, sandboxes and databases (see
 * sql/), of its project, of the project's database (RUNNING and NULL if it has none) and of its
 * cluster (cluster_id NULL: the owner has stored no kubeconfig). `warnings` and `observed` are JSON, see
 * reconcile/warn.h; `slow`: the owner has rows that occupy their places for long;
 * `in_debt`: is in debt (store/spending.h). */
struct queue_row {
	QUEUE_COLUMNS(COLUMN_MEMBER, , , )
	struct queue_connection connection; /* of databases, and of sandboxes whose project has one */
};
/* clang-format on */

struct queue_rows {
	PGresult *result;
	void *decoded;
	size_t count;
	struct queue_row *items;
};

/* A part of the users: those whose id's hash, modulo `count`, is `index`. With a count of 0 or 1,
 * all. */
struct queue_shard {
	unsigned index, count;
};

struct queue_claim {
	const char *worker; /* host and process */
	struct queue_shard shard;
	unsigned limit;      /* rows at most */
	unsigned per_user;   /* of one user at most, those already leased counted */
	unsigned slow_limit; /* of all users together with a row whose last observation took 2 s or
				more */
	unsigned debtor_limit; /* of all users in debt together (store/spending.h) */
	uint64_t lease_ms;
	bool only_well; /* only rows without a cause */
	/* Keys that only other hosts have, as pass_host_announce() tells them: what is sealed to
	 * one of these is left to them. NULL: none. */
	const char *foreign_keys;
};
/* Claims due rows of a shard: fair between users (each user's first before anybody's second),
 * oldest first within that. Rows locked by another claim at this moment are passed over, and those
 * of users who are held (store/shard.h, store/spending.h). */
int queue_claim(struct db *db, const struct queue_claim *claim, struct queue_rows *ret_rows,
		struct err *e);
/* The rows of one project as a claim would give them, without a lease: only to be shown. */
int queue_peek(struct db *db, const char *project_id, struct queue_rows *ret_rows, struct err *e);
void queue_rows_clear(struct queue_rows *rows);

/* Decides what a claimed database is in its cluster, and its connection if that follows from it
 * (host NULL: it does not); the row shows both. Before its first object is made, so that a crash
 * cannot leave objects of another form. ERR_CONFLICT: the lease is somebody else's by now. */
int queue_decide_form(struct db *db, struct queue_row *row, enum database_form form,
		      const struct queue_connection *connection, struct err *e);

/* The variables of some projects, and the settings of their owners that become variables, for rows
 * of sandboxes. */
struct queue_variable {
	const char *project_id, *key;
	bool is_setting;
	const char *value; /* of a setting that was stored by a version that did not seal yet; else
			      NULL */
	const void *value_sealed;
	size_t value_sealed_length;
};
struct queue_variables {
	PGresult *result;
	void *decoded;
	size_t count;
	struct queue_variable *items; /* by project, settings first, and by key */
};
int queue_variables(struct db *db, const char *const *project_ids, size_t count,
		    struct queue_variables *ret_variables, struct err *e);
void queue_variables_clear(struct queue_variables *variables);

struct queue_result {
	const char *id;
	int64_t lease_epoch, generation;                     /* as claimed */
	const char *cause_kind, *cause_code, *cause_message; /* when has_cause */
	uint64_t due_in_ms;
	/* For stable rows, else 0: the row is due together with the user's other stable rows, once
	 * in such a period, and not before due_in_ms. */
	uint64_t resync_ms;
	uint64_t took_ms; /* since the claim */
	/* Of a sandbox that was asked: for how long nothing has happened, and what did last. */
	uint64_t idle_s;
	const char *activity;
	/* Replace those of the row; NULL: they stay. Borrowed. */
	json_t *warnings, *observed;
	/* A database's connection, if it is new or has changed; host NULL: no news, or, with
	 * `disconnected`, that its Cluster no longer exists. */
	struct queue_connection connection;
	/* What a container printed before it crashed; NULL: no news. */
	const void *log_sealed;
	size_t log_sealed_length;
	enum status status;
	enum stage stage;
	unsigned attempts;
	bool disconnected;
	bool has_cause;
	bool looked;
	bool gone; /* absence confirmed: the row goes, and its project when it was
		      the last and its deletion was asked for */
};
/*
 * Records results and gives the leases back, in one transaction: status, stage, cause, next
 * attempt, the aggregated status of the projects, an event for each change that a user can see. A
 * row whose epoch is no longer the claimed one is not touched. A row whose generation has changed
 * since the claim only gives its lease back and is due at once. `status_since` and `cause_since`
 * change only when status or cause (kind and code) changes, and an ERROR without a new cause keeps
 * its old one; the time since which a warning holds is kept in the same way. When a database's
 * connection or status changes, the project's sandboxes become due. A row that became due while it
 * was leased is due at once, whatever `due_in_ms` says. `ret_stale` (NULL: not needed) counts rows
 * that were not touched.
 */
int queue_record(struct db *db, const struct queue_result *results, size_t count, size_t *ret_stale,
		 struct err *e);

struct queue_lease {
	const char *id;
	int64_t epoch, generation; /* as claimed */
	json_t *observed; /* replaces that of the row if that is still so; NULL: it stays */
};
/* Gives leases back without a result, due at once: at an orderly end of a pass, or when a server is
 * too busy. */
int queue_release(struct db *db, const struct queue_lease *leases, size_t count, struct err *e);

/* Makes rows due whose objects in the cluster have changed: at once, or once their leases are given
 * back. Those with a cause keep their backoff. */
int queue_wake(struct db *db, const char *const *ids, size_t count, struct err *e);

/* The queue's length and age. Of rows that are due, not leased and of nobody who is held: their
 * number (counted up to `max`, as counting is not free), and how long the oldest has been due; and
 * the number of leased rows. */
struct queue_backlog {
	uint64_t due, oldest_ms, leased;
	uint64_t debtors; /* users whose rows wait for the end of a pause: store/spending.h */
};
int queue_backlog(struct db *db, uint64_t max, struct queue_backlog *ret_backlog, struct err *e);
/* Milliseconds until the next row of a shard, or check of a kubeconfig, may be claimed; UINT64_MAX:
 * none is waiting. */
int queue_next_due(struct db *db, const struct queue_shard *shard, uint64_t *ret_ms, struct err *e);

/* How long old rows are kept, in milliseconds. */
struct queue_retention {
	uint64_t idempotency_ms, events_ms;
	uint64_t audit_ms; /* 30 days at least; 0: for ever */
};
/* Roughly the number of events that are kept per project, however often it changes. */
enum { QUEUE_EVENTS_MAX = 1000 };
/* Removes expired sessions; idempotency keys, events and audit lines older than that; and a
 * project's surplus events, a bounded number of each. Also removes all live changes that nobody has
 * fetched for a minute. */
int queue_housekeeping(struct db *db, const struct queue_retention *keep, struct err *e);

#endif
