#include "reconcile/access.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/heartbeat.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/contexts.h"

struct access_entry {
	char cluster_id[STORE_ID_LENGTH + 1];
	int64_t version;
	struct kube_target *target; /* NULL: it could not be made, see err */
	struct err err;
};

struct access {
	const struct keyring *cluster_private;
	void *entries; /* tsearch(3) tree */
};

struct access *access_new(const struct keyring *cluster_private)
{
	struct access *access = mem_calloc(1, sizeof(*access));

	access->cluster_private = cluster_private;
	return access;
}

static void entry_free(void *node)
{
	struct access_entry *entry = node;

	kube_target_free(entry->target);
	free(entry);
}

void access_free(struct access *access)
{
	if (access == NULL)
		return;
	tdestroy(access->entries, entry_free);
	free(access);
}

static int compare_entries(const void *a, const void *b)
{
	const struct access_entry *left = a;
	const struct access_entry *right = b;
	int order = strcmp(left->cluster_id, right->cluster_id);

	if (order != 0)
		return order;
	return (left->version > right->version) - (left->version < right->version);
}

static int make_target(const struct keyring *cluster_private, const struct access_kubeconfig *k,
		       struct kube_target **ret_target, struct err *e)
{
	CLEANUP(buf_wipe) struct buf text = BUF_INIT(KUBECONFIG_MAX_BYTES);
	CLEANUP(kubeconfig_clear) struct kubeconfig config = { 0 };
	CLEANUP(cleanup_free) char *context = mem_printf(CONTEXT_KUBECONFIG, k->cluster_id);

	heartbeat_owner(k->user_id);
	/* Whatever is wrong with our keys, all that the owner can do is store it again. */
	if (unseal(cluster_private, context, k->sealed, k->sealed_length, &text, e) < 0) {
		log_line(LOG_LEVEL_ERROR, "a kubeconfig cannot be decrypted",
			 LOG_STR("user", k->user_id), LOG_STR("code", e->code),
			 LOG_STR("error", e->message));
		return err_set(e, ERR_KUBECONFIG, "KUBECONFIG_UNREADABLE",
			       "the stored kubeconfig cannot be opened any more: store it again");
	}
	if (kubeconfig_parse(text.data, text.length, &config, e) < 0 ||
	    kube_target_new(&config, ret_target, e) < 0) {
		return err_set(e, ERR_KUBECONFIG, "KUBECONFIG_UNREADABLE",
			       "the stored kubeconfig cannot be used (%s): store it again",
			       e->message);
	}
	kube_target_set_owner(*ret_target, k->user_id);
	return 0;
}

static struct access_entry *find_entry(struct access *access, const struct access_kubeconfig *k)
{
	struct access_entry *entry = mem_calloc(1, sizeof(*entry));

	memccpy(entry->cluster_id, k->cluster_id, '\0', sizeof(entry->cluster_id));
	entry->version = k->version;
	struct access_entry **found = tsearch(entry, &access->entries, compare_entries);
	if (*found != entry) {
		free(entry);
		return *found;
	}
	if (make_target(access->cluster_private, k, &entry->target, &entry->err) < 0)
		entry->target = NULL;
	return entry;
}

int access_check(const struct kube_target *target, const struct queue_row *row, struct err *e)
{
	if (strcmp(kube_target_server(target), row->server) == 0 &&
	    strcmp(kube_target_namespace(target), row->namespace) == 0)
		return 0;
	return err_set(e, ERR_KUBECONFIG, "KUBECONFIG_ELSEWHERE",
		       "this is in namespace %s of %s, and the stored kubeconfig is for "
		       "namespace %s of %s: store the one for the former, or delete this "
		       "there",
		       row->namespace, row->server, kube_target_namespace(target),
		       kube_target_server(target));
}

int access_open(struct access *access, const struct access_kubeconfig *kubeconfig,
		struct kube_target **ret_target, struct err *e)
{
	struct access_entry *entry = find_entry(access, kubeconfig);

	if (entry->target == NULL) {
		*e = entry->err;
		return -1;
	}
	*ret_target = entry->target;
	return 0;
}

int access_target(struct access *access, const struct queue_row *row,
		  struct kube_target **ret_target, struct err *e)
{
	const struct access_kubeconfig kubeconfig = {
		.cluster_id = row->cluster_id,
		.user_id = row->user_id,
		.version = row->kubeconfig_version,
		.sealed = row->kubeconfig_sealed,
		.sealed_length = row->kubeconfig_sealed_length,
	};

	if (row->kubeconfig_sealed == NULL)
		return err_set(e, ERR_KUBECONFIG, "KUBECONFIG_MISSING",
			       "no kubeconfig is stored: put one in the settings");
	if (access_open(access, &kubeconfig, ret_target, e) < 0)
		return -1;
	return access_check(*ret_target, row, e);
}
