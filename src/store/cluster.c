#include "store/cluster.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "store/contexts.h"
#include "store/internal.h"
#include "store/limit.h"

enum { SEALED_KUBECONFIG_MAX = 131072 };

enum info_column {
	INFO_ID,
	INFO_NAME,
	INFO_REGION,
	INFO_SERVER,
	INFO_NAMESPACE,
	INFO_ACCOUNT,
	INFO_EXPIRES_AT,
	INFO_EXPIRED,
	INFO_UPDATED_AT,
	INFO_PROJECTS,
	INFO_AWAY_SINCE,
};

enum remove_column { REMOVE_IS_THERE, REMOVE_PROJECTS, REMOVE_NAMES };

enum statement {
	STATEMENT_LIST,
	STATEMENT_PUT,
	STATEMENT_WAKE,
	STATEMENT_REGION,
	STATEMENT_LOCK,
	STATEMENT_REMOVE,
};

#define IN_CLUSTER(c) "p.user_id = " c ".user_id AND coalesce(p.cluster_id, p.user_id) = " c ".id"

/* SQL is laid out by hand. */
/* clang-format off */
static const struct db_statement statements[] = {
	/* $1 user, $2 which one, or NULL. */
	[STATEMENT_LIST] = { "cluster_list",
		"SELECT id, name, region, server, namespace, account, iso8601(expires_at),"
		" coalesce(expires_at < now(), false), iso8601(updated_at),"
		" (SELECT count(*) FROM projects p WHERE " IN_CLUSTER("c") "),"
		" (SELECT iso8601(min(r.cause_since)) FROM projects p"
		"  JOIN resources r ON r.project_id = p.id WHERE " IN_CLUSTER("c")
		"  AND r.cause_kind IN ('KUBE_UNREACHABLE', 'KUBE_TIMEOUT', 'KUBE_TLS'))"
		" FROM clusters c WHERE user_id = $1 AND id = coalesce($2::uuid, id)"
		" ORDER BY id <> user_id, name" },
	[STATEMENT_PUT] = { "cluster_put",
	/* Not excluded.sealed: reading that would count as reading the column. */
		"INSERT INTO clusters AS c (id, user_id, name, sealed, server, namespace,"
		"  account, expires_at)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7, to_timestamp($8::bigint))"
		" ON CONFLICT (id) DO UPDATE SET sealed = $4,"
		"  server = excluded.server, namespace = excluded.namespace,"
		"  account = excluded.account, expires_at = excluded.expires_at,"
		"  version = c.version + 1, updated_at = now()"
		" WHERE c.user_id = $2 RETURNING c.id" },
	[STATEMENT_WAKE] = { "cluster_wake", "SELECT make_cluster_due($1)" },
	[STATEMENT_REGION] = { "cluster_region",
		"UPDATE clusters SET region = $3 WHERE user_id = $1 AND id = $2" },
	/* A project that is created in it at this moment holds it, or does not find it. */
	[STATEMENT_LOCK] = { "cluster_lock",
		"SELECT FROM clusters WHERE user_id = $1 AND id = $2 FOR UPDATE" },
	[STATEMENT_REMOVE] = { "cluster_remove",
		"WITH c AS (SELECT id, user_id FROM clusters WHERE user_id = $1 AND id = $2"
		"), used AS ("
		" SELECT p.name FROM projects p JOIN c ON " IN_CLUSTER("c") " ORDER BY p.name"
		"), gone AS ("
		" DELETE FROM clusters USING c WHERE clusters.id = c.id"
		"  AND NOT EXISTS (SELECT FROM used)"
		") SELECT EXISTS (SELECT FROM c), (SELECT count(*) FROM used),"
		" (SELECT string_agg(name, ', ') FROM (SELECT name FROM used LIMIT 3) AS first)" },
};
/* clang-format on */

static struct cluster_info read_info(const PGresult *r, int i)
{
	return (struct cluster_info) {
		.id = db_text(r, i, INFO_ID),
		.name = db_text(r, i, INFO_NAME),
		.region = db_text(r, i, INFO_REGION),
		.server = db_text(r, i, INFO_SERVER),
		.namespace = db_text(r, i, INFO_NAMESPACE),
		.account = db_text(r, i, INFO_ACCOUNT),
		.expires_at = db_text(r, i, INFO_EXPIRES_AT),
		.expired = db_bool(r, i, INFO_EXPIRED),
		.updated_at = db_text(r, i, INFO_UPDATED_AT),
		.projects = db_int(r, i, INFO_PROJECTS),
		.away_since = db_text(r, i, INFO_AWAY_SINCE),
	};
}

static int list(struct db *db, const char *user_id, const char *id, struct cluster_rows *ret_rows,
		struct err *e)
{
	struct cluster_rows rows = { 0 };

	if (db_query(db, &statements[STATEMENT_LIST], DB_ARGS(DB_TEXT(user_id), DB_TEXT(id)),
		     &rows.result, e) < 0)
		return -1;
	rows.count = (size_t)db_rows(rows.result);
	rows.items = mem_calloc(rows.count, sizeof(*rows.items));
	for (size_t i = 0; i < rows.count; i++)
		rows.items[i] = read_info(rows.result, (int)i);
	*ret_rows = rows;
	return 0;
}

int cluster_list(struct db *db, const char *user_id, struct cluster_rows *ret_rows, struct err *e)
{
	return list(db, user_id, NULL, ret_rows, e);
}

static int not_found(struct err *e)
{
	return err_set(e, ERR_NOT_FOUND, "CLUSTER_NOT_FOUND", "You have no such cluster");
}

int cluster_get(struct db *db, const char *user_id, const char *id, struct cluster_rows *ret_rows,
		struct err *e)
{
	if (list(db, user_id, id, ret_rows, e) < 0)
		return -1;
	if (ret_rows->count > 0)
		return 0;
	cluster_rows_clear(ret_rows);
	if (strcmp(id, user_id) != 0)
		return not_found(e);
	return err_set(e, ERR_NOT_FOUND, "KUBECONFIG_MISSING",
		       "No kubeconfig is stored: put one in the settings");
}

void cluster_rows_clear(struct cluster_rows *rows)
{
	db_result_free(&rows->result);
	free(rows->items);
	*rows = (struct cluster_rows) { 0 };
}

static int put(struct db *tx, const struct cluster_new *c, const struct buf *sealed, struct err *e)
{
	CLEANUP(db_result_free) PGresult *r = NULL;
	struct err failed;

	if (db_query(tx, &statements[STATEMENT_PUT],
		     DB_ARGS(DB_TEXT(c->id), DB_TEXT(c->user_id), DB_TEXT(c->name),
			     DB_BYTES(sealed->data, sealed->length), DB_TEXT(c->server),
			     DB_TEXT(c->namespace), DB_TEXT(c->account),
			     c->expires_at > 0 ? DB_INT(c->expires_at) : DB_NULL),
		     &r, &failed) == 0)
		return db_rows(r) > 0 ? 0 : limit_reached(tx, c->user_id, LIMIT_CLUSTERS, e);
	if (strcmp(failed.code, "clusters_name") == 0)
		return err_set(e, ERR_CONFLICT, "CLUSTER_EXISTS",
			       "You have a cluster of this name already");
	*e = failed;
	return -1;
}

int cluster_put(struct db *db, const struct cluster_new *cluster, const char *text,
		store_seal_fn *seal, const void *user, struct err *e)
{
	CLEANUP(db_rollback_guard) struct db *tx = NULL;
	CLEANUP(cleanup_free) char *context = mem_printf(CONTEXT_KUBECONFIG, cluster->id);
	CLEANUP(buf_release) struct buf sealed = BUF_INIT(SEALED_KUBECONFIG_MAX);

	if (seal(user, context, text, strlen(text), &sealed, e) < 0 || db_begin(db, &tx, e) < 0 ||
	    put(tx, cluster, &sealed, e) < 0 ||
	    db_query(tx, &statements[STATEMENT_WAKE], DB_ARGS(DB_TEXT(cluster->id)), NULL, e) < 0)
		return -1;
	return db_commit(&tx, e);
}

int cluster_set_region(struct db *db, const char *user_id, const char *id, const char *region,
		       struct err *e)
{
	return db_query(db, &statements[STATEMENT_REGION],
			DB_ARGS(DB_TEXT(user_id), DB_TEXT(id), DB_TEXT(region)), NULL, e);
}

int cluster_remove(struct db *db, const char *user_id, const char *id, struct err *e)
{
	CLEANUP(db_result_free) PGresult *r = NULL;
	CLEANUP(db_rollback_guard) struct db *tx = NULL;

	if (db_begin(db, &tx, e) < 0 ||
	    db_query(tx, &statements[STATEMENT_LOCK], DB_ARGS(DB_TEXT(user_id), DB_TEXT(id)), NULL,
		     e) < 0 ||
	    db_query(tx, &statements[STATEMENT_REMOVE], DB_ARGS(DB_TEXT(user_id), DB_TEXT(id)), &r,
		     e) < 0)
		return -1;
	if (!db_bool(r, 0, REMOVE_IS_THERE))
		return not_found(e);
	int64_t projects = db_int(r, 0, REMOVE_PROJECTS);
	if (projects == 0)
		return db_commit(&tx, e);
	return err_set(e, ERR_CONFLICT, "CLUSTER_IN_USE",
		       "Projects are in this cluster (%s%s): delete them for good first",
		       db_text(r, 0, REMOVE_NAMES), projects > 3 ? ", …" : "");
}
