#ifndef FSA_STORE_CLUSTER_SETTING_H
#define FSA_STORE_CLUSTER_SETTING_H

#include <jansson.h>

#include "base/err.h"
#include "db/db.h"

/*
 * What an administrator says of a cluster, by the address of its API server, where that differs
 * from fsa.conf. Triggers copy it into the rows of what is created there
 * (sql/0061_cluster_settings.sql), so what is there already stays as it is.
 */
struct cluster_setting {
	const char *server;                                         /* as kubeconfigs name it */
	const char *ingress_domain, *ingress_class, *storage_class; /* NULL: as in fsa.conf */
};

/* Of each {"server", "ingressDomain", "ingressClass", "storageClass"}, in the order of servers. */
int cluster_setting_list(struct db *db, json_t **ret_settings, struct err *e);
/* Makes it, or replaces all of it. ERR_INVALID: one of its members is not what it should be. */
int cluster_setting_set(struct db *db, const struct cluster_setting *setting, struct err *e);
/* ERR_NOT_FOUND with code CLUSTER_NOT_FOUND. */
int cluster_setting_remove(struct db *db, const char *server, struct err *e);

#endif
