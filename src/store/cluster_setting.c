#include "store/cluster_setting.h"

#include "base/cleanup.h"
#include "store/internal.h"

enum statement {
	STATEMENT_LIST,
	STATEMENT_SET,
	STATEMENT_REMOVE,
};

/* SQL is laid out by hand. The names of columns are members of what is shown. */
/* clang-format off */
static const struct db_statement statements[] = {
	[STATEMENT_LIST] = { "cluster_setting_list",
		"SELECT server, ingress_domain AS \"ingressDomain\","
		" ingress_class AS \"ingressClass\", storage_class AS \"storageClass\""
		" FROM cluster_settings ORDER BY server" },
	[STATEMENT_SET] = { "cluster_setting_set",
		"INSERT INTO cluster_settings (server, ingress_domain, ingress_class, storage_class)"
		" VALUES ($1, $2, $3, $4) ON CONFLICT (server) DO UPDATE"
		" SET ingress_domain = excluded.ingress_domain,"
		"  ingress_class = excluded.ingress_class,"
		"  storage_class = excluded.storage_class" },
	[STATEMENT_REMOVE] = { "cluster_setting_remove",
		"DELETE FROM cluster_settings WHERE server = $1 RETURNING server" },
};
/* clang-format on */

int cluster_setting_list(struct db *db, json_t **ret_settings, struct err *e)
{
	return store_rows(db, &statements[STATEMENT_LIST], NULL, ret_settings, e);
}

int cluster_setting_set(struct db *db, const struct cluster_setting *setting, struct err *e)
{
	return db_query(db, &statements[STATEMENT_SET],
			DB_ARGS(DB_TEXT(setting->server), DB_TEXT(setting->ingress_domain),
				DB_TEXT(setting->ingress_class), DB_TEXT(setting->storage_class)),
			NULL, e);
}

int cluster_setting_remove(struct db *db, const char *server, struct err *e)
{
	CLEANUP(db_result_free) PGresult *removed = NULL;

	if (db_query(db, &statements[STATEMENT_REMOVE], DB_ARGS(DB_TEXT(server)), &removed, e) < 0)
		return -1;
	if (db_rows(removed) == 0)
		return err_set(e, ERR_NOT_FOUND, "CLUSTER_NOT_FOUND",
			       "nothing is set for the server \"%s\"", server);
	return 0;
}
