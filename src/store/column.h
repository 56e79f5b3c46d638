#ifndef FSA_STORE_COLUMN_H
#define FSA_STORE_COLUMN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libpq-fe.h>

#include "base/err.h"
#include "domain/types.h"

/*
 * Every column that the store reads is defined in one place: a row
 *
 *     X(of, TYPE, member, of ".column", "jsonName")
 *
 * of a list LIST(X, of). From the list follow
 *
 *     the text of a SELECT          "SELECT 0" LIST(COLUMN_SQL, "s") (store/project_list.c)
 *     the members of a struct       struct sandbox { LIST(COLUMN_MEMBER, ) };
 *     the code that fills it        static const struct column columns[] = {
 *                                           LIST(COLUMN_READ, struct sandbox) };
 *     the members of the API's JSON static const struct member members[] = {
 *                                           LIST(SHOWN, struct sandbox) }; (cgi-bin/api/render.c)
 *
 * so they cannot differ. `of` is the table's alias in the first and the struct's type in the last
 * two. A column whose name in JSON is "" does not appear there by itself.
 */

/* Sandboxes and databases have in common: columns that live updates show, which are all that
 * fsa-events may read, */
#define RESOURCE_STATUS_COLUMNS(X, of)                                                             \
	X(of, TEXT, id, of ".id", "id")                                                            \
	X(of, DESIRED, desired, of ".desired", "desired")                                          \
	X(of, STATUS, status, of ".status", "status")                                              \
	X(of, STAGE, stage, of ".stage", "")                                                       \
	X(of, TEXT, warnings, "nullif(" of ".warnings, '[]')::text", "")
#define RESOURCE_CAUSE_COLUMNS(X, of)                                                              \
	X(of, TEXT, status_since, "iso8601(" of ".status_since)", "statusSince")                   \
	X(of, TEXT, cause_kind, of ".cause_kind", "")                                              \
	X(of, TEXT, cause_code, of ".cause_code", "")                                              \
	X(of, TEXT, cause_message, of ".cause_message", "")                                        \
	X(of, TEXT, cause_since, "iso8601(" of ".cause_since)", "")
#define RESOURCE_KIND_COLUMNS(X, of) X(of, KIND, kind, of ".kind", "")

/* columns for everybody else who reads them, */
#define RESOURCE_COLUMNS(X, of)                                                                    \
	RESOURCE_STATUS_COLUMNS(X, of)                                                             \
	X(of, TEXT, project_id, of ".project_id", "projectId")                                     \
	X(of, TEXT, name, of ".name", "name")                                                      \
	X(of, TEXT, namespace, of ".namespace", "k8sNamespace")                                    \
	X(of, TEXT, server, of ".server", "")                                                      \
	X(of, INT, generation, of ".generation", "")                                               \
	X(of, UNSIGNED, attempts, of ".attempts", "")

/* for the owner, */
#define RESOURCE_OWNER_COLUMNS(X, of)                                                              \
	RESOURCE_CAUSE_COLUMNS(X, of)                                                              \
	X(of, TEXT, next_attempt_at, "iso8601(" of ".due_at)", "")                                 \
	X(of, TEXT, locked_until, "iso8601(" of ".leased_until)", "lockedUntil")                   \
	X(of, TEXT, created_at, "iso8601(" of ".created_at)", "createdAt")                         \
	X(of, TEXT, updated_at, "iso8601(" of ".updated_at)", "updatedAt")

/* and for the reconciler. */
#define RESOURCE_QUEUE_COLUMNS(X, of)                                                              \
	RESOURCE_KIND_COLUMNS(X, of)                                                               \
	X(of, TEXT, user_id, of ".user_id", "")                                                    \
	X(of, INT, lease_epoch, of ".lease_epoch", "")                                             \
	X(of, UINT, status_age_ms,                                                                 \
	  "greatest(0, (extract(epoch FROM now() - " of ".status_since) * 1000)::bigint)", "")     \
	X(of, BOOL, has_cause, of ".cause_kind IS NOT NULL", "")                                   \
	X(of, BOOL, verify, of ".verify", "")                                                      \
	X(of, BOOL, forced, of ".forced", "")                                                      \
	X(of, TEXT, ingress_class, of ".ingress_class", "")                                        \
	X(of, TEXT, storage_class, of ".storage_class", "")                                        \
	X(of, TEXT, observed, "nullif(" of ".observed, '{}')::text", "")

/* For a sandbox or a database; `sql` turns a column's name into an expression. */
#define SIZE_COLUMNS(X, of, sql)                                                                   \
	X(of, TEXT, cpu_request, sql("cpu_request"), "cpuRequest")                                 \
	X(of, TEXT, cpu_limit, sql("cpu_limit"), "cpuLimit")                                       \
	X(of, TEXT, memory_request, sql("memory_request"), "memoryRequest")                        \
	X(of, TEXT, memory_limit, sql("memory_limit"), "memoryLimit")

/* Of a sandbox: for everybody who reads it, and for the reconciler. The open ports (store/port.h)
 * are a JSON array of {id, port, name, access}; NULL: none. */
#define SANDBOX_PORTS(of)                                                                          \
	"(SELECT json_agg(json_build_object('id', p.id, 'port', p.port, 'name', p.name,"           \
	" 'access', p.access) ORDER BY p.port)::text FROM ports p"                                 \
	" WHERE p.resource_id = " of ".resource_id)"
#define SANDBOX_COLUMNS(X, of)                                                                     \
	X(of, TEXT, display_name, of ".display_name", "displayName")                               \
	X(of, TEXT, app_host, of ".app_host", "")                                                  \
	X(of, TEXT, ttyd_host, of ".ttyd_host", "")                                                \
	X(of, TEXT, image, of ".image", "runtimeImage")                                            \
	X(of, TEXT, size, of ".size", "size")                                                      \
	X(of, TEXT, chosen_image, of ".chosen_image", "image")                                     \
	X(of, TEXT, ports, SANDBOX_PORTS(of), "")                                                  \
	X(of, BYTES, terminal_token_sealed, of ".terminal_token_sealed", "")                       \
	X(of, INT, access_generation, of ".access_generation", "")
#define SANDBOX_OWNER_COLUMNS(X, of)                                                               \
	X(of, TEXT, active_at, "iso8601(" of ".active_at)", "lastActiveAt")                        \
	X(of, TEXT, activity, of ".activity", "lastActivity")
#define SANDBOX_QUEUE_COLUMNS(X, of)                                                               \
	X(of, TEXT, home_size, of ".home_size", "")                                                \
	X(of, TEXT, storage_limit, of ".storage_limit", "")                                        \
	X(of, TEXT, tools_image, of ".tools_image", "")                                            \
	X(of, TEXT, run_as, of ".run_as", "")                                                      \
	X(of, BYTES, request_env_sealed, of ".request_env_sealed", "")                             \
	X(of, INT, restarts, of ".restarts", "")

/* Of a database. */
#define DATABASE_COLUMNS(X, of) X(of, TEXT, storage_size, of ".storage_size", "storageSize")
#define DATABASE_QUEUE_COLUMNS(X, of)                                                              \
	X(of, TEXT, version, of ".version", "")                                                    \
	X(of, FORM, form, "coalesce(" of ".form, 'UNDECIDED')", "")
#define CONNECTION_COLUMNS(X, of)                                                                  \
	X(of, TEXT, host, of ".host", "host")                                                      \
	X(of, INT, port, of ".port", "")                                                           \
	X(of, TEXT, database, of ".database", "database")                                          \
	X(of, TEXT, username, of ".username", "username")                                          \
	X(of, BYTES, password_sealed, of ".password_sealed", "")
#define CONNECTION_QUEUE_COLUMNS(X, of) X(of, TEXT, cluster_uid, of ".cluster_uid", "")

/* Of a project: what live updates show, and the rest. */
#define PROJECT_STATUS_COLUMNS(X, of)                                                              \
	X(of, TEXT, id, of ".id", "id")                                                            \
	X(of, TEXT, name, of ".name", "name")                                                      \
	X(of, STATUS, status, of ".status", "status")                                              \
	X(of, TEXT, updated_at, "iso8601(" of ".updated_at)", "updatedAt")                         \
	X(of, TEXT, expires_at, "iso8601(" of ".expires_at)", "expiresAt")                         \
	X(of, TEXT, deletes_at, "iso8601(" of ".deletes_at)", "deletesAt")                         \
	X(of, TEXT, keep_until, "iso8601(" of ".keep_until)", "keepUntil")                         \
	X(of, TEXT, idle_stops_at, "iso8601(" of ".idle_stops_at)", "idleStopsAt")                 \
	X(of, TEXT, trash_until, "iso8601(" of ".trash_until)", "trashUntil")                      \
	X(of, TEXT, warnings, "nullif(" of ".warnings, '[]')::text", "")
#define PROJECT_CLUSTER(of)                                                                        \
	"coalesce((SELECT name FROM clusters WHERE id = " of ".cluster_id), 'default')"
#define PROJECT_COLUMNS(X, of)                                                                     \
	PROJECT_STATUS_COLUMNS(X, of)                                                              \
	X(of, TEXT, description, of ".description", "description")                                 \
	X(of, TEXT, user_id, of ".user_id", "userId")                                              \
	X(of, TEXT, github_repo, of ".github_repo", "githubRepo")                                  \
	X(of, TEXT, kube_name, of ".kube_name", "")                                                \
	X(of, TEXT, cluster, PROJECT_CLUSTER(of), "cluster")                                       \
	X(of, TEXT, created_at, "iso8601(" of ".created_at)", "createdAt")                         \
	X(of, TEXT, wake, of ".wake", "wake")                                                      \
	X(of, TEXT, idle_minutes, "(extract(epoch FROM " of ".idle_after) / 60)::integer", "")     \
	X(of, INT, created_us, "(extract(epoch FROM " of ".created_at) * 1000000)::bigint", "")

/* ---- what a claim reads ---------------------------------------------------------------------- */

/* Whether a user has rows that occupy their places for long: any of their rows, as nothing is known
 * about a new one. The number is that of an index, in which LIMIT has each user looked up. */
#define QUEUE_IS_SLOW(user)                                                                        \
	"(SELECT true FROM resources WHERE user_id = " user                                        \
	" AND took_ms >= 2000 LIMIT 1) IS NOT NULL"
/* Whether they are in debt (store/spending.h). */
#define QUEUE_IS_IN_DEBT(user)                                                                     \
	"(SELECT true FROM spending WHERE user_id = " user                                         \
	" AND owed_us >= 10000 AND at > now() - interval '1 hour' LIMIT 1) IS NOT NULL"
#define QUEUE_SIZE(column) "coalesce(s." column ", d." column ")"

/* For rows `c` of resources with their project `p`, sandbox `s`, the project's database `dr` and
 * `d`, and the project's cluster `k`. */
#define QUEUE_OTHER_COLUMNS(X, of)                                                                 \
	X(of, TEXT, project_kube_name, "p.kube_name", "")                                          \
	X(of, BOOL, slow, QUEUE_IS_SLOW("c.user_id"), "")                                          \
	X(of, BOOL, in_debt, QUEUE_IS_IN_DEBT("c.user_id"), "")                                    \
	X(of, BOOL, watches_activity, "is_look_due(p.idle_after, s.active_at)", "")                \
	X(of, TEXT, database_id, "dr.id", "")                                                      \
	X(of, TEXT, database_name, "dr.name", "")                                                  \
	X(of, STATUS, database_status, "coalesce(dr.status, 'RUNNING')", "")                       \
	X(of, TEXT, cluster_id, "k.id", "")                                                        \
	X(of, BYTES, kubeconfig_sealed, "k.sealed", "")                                            \
	X(of, INT, kubeconfig_version, "k.version", "")
#define QUEUE_COLUMNS(X, c, s, d)                                                                  \
	RESOURCE_COLUMNS(X, c)                                                                     \
	RESOURCE_QUEUE_COLUMNS(X, c)                                                               \
	SANDBOX_COLUMNS(X, s)                                                                      \
	SANDBOX_QUEUE_COLUMNS(X, s)                                                                \
	DATABASE_COLUMNS(X, d)                                                                     \
	DATABASE_QUEUE_COLUMNS(X, d) SIZE_COLUMNS(X, s, QUEUE_SIZE) QUEUE_OTHER_COLUMNS(X, c)

/* ---- what follows from a list ---------------------------------------------------------------- */

/* The types. SQL NULL becomes NULL, 0 or false; a column of an enum must not be NULL, and must have
 * a known value. */
enum column_type {
	COLUMN_TEXT,
	COLUMN_INT,
	COLUMN_UINT,
	COLUMN_UNSIGNED,
	COLUMN_BOOL,
	COLUMN_BYTES,
	COLUMN_KIND,
	COLUMN_FORM,
	COLUMN_DESIRED,
	COLUMN_STATUS,
	COLUMN_STAGE,
};
#define COLUMN_MEMBER_TEXT(m)     const char *m;
#define COLUMN_MEMBER_INT(m)      int64_t m;
#define COLUMN_MEMBER_UINT(m)     uint64_t m;
#define COLUMN_MEMBER_UNSIGNED(m) unsigned m;
#define COLUMN_MEMBER_BOOL(m)     bool m;
#define COLUMN_MEMBER_BYTES(m)                                                                     \
	const void *m;                                                                             \
	size_t m##_length;
#define COLUMN_MEMBER_KIND(m)    enum resource_kind m;
#define COLUMN_MEMBER_FORM(m)    enum database_form m;
#define COLUMN_MEMBER_DESIRED(m) enum desired m;
#define COLUMN_MEMBER_STATUS(m)  enum status m;
#define COLUMN_MEMBER_STAGE(m)   enum stage m;

struct column {
	enum column_type type;
	size_t offset, length; /* where the value goes; for BYTES, where its length goes */
};

/* clang-format off */
#define COLUMN_MEMBER(of, type, member, sql, json) COLUMN_MEMBER_##type(member)
#define COLUMN_SQL(of, type, member, sql, json)    ", " sql
#define COLUMN_READ(of, type, member, sql, json)   { COLUMN_##type, offsetof(of, member), COLUMN_LENGTH_##type(of, member) },
#define COLUMN_LENGTH_BYTES(of, member)    offsetof(of, member##_length)
#define COLUMN_LENGTH_TEXT(of, member) 0
#define COLUMN_LENGTH_INT(of, member) 0
#define COLUMN_LENGTH_UINT(of, member) 0
#define COLUMN_LENGTH_UNSIGNED(of, member) 0
#define COLUMN_LENGTH_BOOL(of, member) 0
#define COLUMN_LENGTH_KIND(of, member) 0
#define COLUMN_LENGTH_FORM(of, member) 0
#define COLUMN_LENGTH_DESIRED(of, member) 0
#define COLUMN_LENGTH_STATUS(of, member) 0
#define COLUMN_LENGTH_STAGE(of, member) 0
/* clang-format on */

/* Reads the columns of a row from left to right, a list at a time. `*decoded` is NULL at first and
 * owns the memory that BYTES point to: store_bytes_free(). */
struct column_reader {
	const PGresult *result;
	void **decoded;
	int row, column;
};
/* ERR_INTERNAL for an enum's value that this build does not know, of a newer schema. */
int column_read(struct column_reader *in, const struct column *columns, size_t count, void *into,
		struct err *e);
/* Whether the next list's first column has a value: in an outer join, whether there is a row. */
bool column_is_there(const struct column_reader *in);

#endif
