#include "ctl/clusters.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "reconcile/access.h"

struct clusters {
	struct admin_access_rows rows;
	struct keyring *cluster_private;
	struct access *access; /* owns the targets */
	struct kube_client *client;
	struct cluster *items;
};

void clusters_freep(struct clusters **clusters)
{
	struct clusters *c = *clusters;

	if (c == NULL)
		return;
	kube_client_free(c->client);
	access_free(c->access);
	keyring_free(c->cluster_private);
	admin_access_rows_clear(&c->rows);
	free(c->items);
	free(c);
}

static int open_client(const struct conf *conf, struct kube_client **ret_client, struct err *e)
{
	const struct kube_client_options options = {
		.connect_timeout_ms = conf_number(conf, CONF_KUBE_CONNECT_TIMEOUT),
		.request_timeout_ms = conf_number(conf, CONF_KUBE_REQUEST_TIMEOUT),
		.body_max = conf_number(conf, CONF_KUBE_BODY_MAX),
		.allow_addresses = conf_string(conf, CONF_KUBE_ALLOW_ADDRESSES),
		.ca_file = conf_string(conf, CONF_KUBE_CA_FILE),
	};

	return kube_client_new(&options, ret_client, e);
}

/* Opens it as the reconciler would for a row of this user. */
static void open_target(struct clusters *c, size_t i)
{
	const struct admin_access *a = &c->rows.items[i];
	const struct queue_row row = {
		.user_id = a->user_id,
		.cluster_id = a->cluster_id,
		.server = a->server,
		.namespace = a->namespace,
		.kubeconfig_sealed = a->sealed,
		.kubeconfig_sealed_length = a->sealed_length,
		.kubeconfig_version = a->version,
	};

	c->items[i].access = a;
	if (access_target(c->access, &row, &c->items[i].target, &c->items[i].err) < 0)
		c->items[i].target = NULL;
}

int clusters_open(const struct call *call, struct db *db, const char *user_id,
		  struct clusters **ret_clusters, struct err *e)
{
	CLEANUP(clusters_freep) struct clusters *c = mem_calloc(1, sizeof(*c));
	const char *key_file = conf_string(call->conf, CONF_CLUSTER_PRIVATE_KEY_FILE);

	if (keyring_load_private(key_file, &c->cluster_private, e) < 0 ||
	    open_client(call->conf, &c->client, e) < 0 ||
	    admin_access_list(db, user_id, &c->rows, e) < 0)
		return -1;
	c->access = access_new(c->cluster_private);
	c->items = mem_calloc(c->rows.count, sizeof(*c->items));
	for (size_t i = 0; i < c->rows.count; i++)
		open_target(c, i);
	*ret_clusters = STEAL(c);
	return 0;
}

size_t clusters_count(const struct clusters *clusters)
{
	return clusters->rows.count;
}

struct cluster *clusters_at(struct clusters *clusters, size_t i)
{
	return &clusters->items[i];
}

struct cluster *clusters_find(struct clusters *clusters, const char *id)
{
	for (size_t i = 0; id != NULL && i < clusters->rows.count; i++) {
		if (strcmp(clusters->items[i].access->cluster_id, id) == 0)
			return &clusters->items[i];
	}
	return NULL;
}

struct kube_client *clusters_client(struct clusters *clusters)
{
	return clusters->client;
}

void clusters_wait(struct clusters *clusters)
{
	while (kube_client_pending(clusters->client) > 0)
		kube_client_poll(clusters->client, 1000, -1);
}
