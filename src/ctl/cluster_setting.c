/* fsactl cluster …: what differs in some clusters from fsa.conf. */
#include "store/cluster_setting.h"

#include <string.h>

#include "base/cleanup.h"
#include "ctl/administrator.h"
#include "ctl/output.h"

static const struct output_column columns[] = {
	{ "server", "SERVER" },
	{ "ingressDomain", "INGRESS DOMAIN" },
	{ "ingressClass", "CLASS" },
	{ "storageClass", "STORAGE CLASS" },
};

int command_cluster_list(const struct call *call, struct err *e)
{
	CLEANUP(db_freep) struct db *db = call_database(call);
	CLEANUP(json_decrefp) json_t *settings = NULL;

	if (cluster_setting_list(db, &settings, e) < 0)
		return -1;
	output_list(call, columns, ARRAY_SIZE(columns), settings);
	return 0;
}

/* Which member the database has refused, by the name of the constraint. */
static int explain(const struct err *failed, struct err *e)
{
	if (failed->kind != ERR_INVALID) {
		*e = *failed;
		return -1;
	}
	if (strstr(failed->code, "server") != NULL)
		return err_set(e, ERR_INVALID, "USAGE",
			       "the server is named as in kubeconfigs: https://HOST:PORT");
	if (strstr(failed->code, "domain") != NULL)
		return err_set(e, ERR_INVALID, "USAGE",
			       "--ingress-domain: a domain, as apps.example.com");
	return err_set(e, ERR_INVALID, "USAGE",
		       "--ingress-class and --storage-class: names of Kubernetes, as nginx");
}

int command_cluster_set(const struct call *call, struct err *e)
{
	CLEANUP(db_freep) struct db *db = call_database(call);
	CLEANUP(db_rollback_guard) struct db *tx = NULL;
	const struct cluster_setting setting = {
		.server = call->arguments[0],
		.ingress_domain = call->options[OPTION_INGRESS_DOMAIN],
		.ingress_class = call->options[OPTION_INGRESS_CLASS],
		.storage_class = call->options[OPTION_STORAGE_CLASS],
	};
	struct err failed;

	if (db_begin(db, &tx, e) < 0)
		return -1;
	if (cluster_setting_set(tx, &setting, &failed) < 0)
		return explain(&failed, e);
	if (administrator_note(tx, "admin.cluster.set", "cluster", setting.server, e) < 0)
		return -1;
	return db_commit(&tx, e);
}

int command_cluster_remove(const struct call *call, struct err *e)
{
	CLEANUP(db_freep) struct db *db = call_database(call);
	CLEANUP(db_rollback_guard) struct db *tx = NULL;
	const char *server = call->arguments[0];

	if (db_begin(db, &tx, e) < 0 || cluster_setting_remove(tx, server, e) < 0 ||
	    administrator_note(tx, "admin.cluster.remove", "cluster", server, e) < 0)
		return -1;
	return db_commit(&tx, e);
}
