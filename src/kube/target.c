#include "kube/target.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static char *copy(const char *text)
{
	return text != NULL ? mem_strdup(text) : NULL;
}

static void wipe(char *secret)
{
	if (secret != NULL)
		explicit_bzero(secret, strlen(secret));
	free(secret);
}

int kube_target_new(const struct kubeconfig *config, struct kube_target **ret_target, struct err *e)
{
	if (config->server == NULL || config->namespace == NULL ||
	    (config->token == NULL && (config->certificate_pem == NULL || config->key_pem == NULL)))
		return err_set(e, ERR_KUBECONFIG, NULL,
			       "the kubeconfig has no server, namespace or credentials");
	struct kube_target *t = mem_calloc(1, sizeof(*t));
	t->server = mem_strdup(config->server);
	t->namespace = mem_strdup(config->namespace);
	t->ca_pem = copy(config->ca_pem);
	t->token = copy(config->token);
	if (t->token != NULL) {
		t->authorization = mem_printf("Authorization: Bearer %s", t->token);
	} else {
		t->certificate_pem = mem_strdup(config->certificate_pem);
		t->key_pem = mem_strdup(config->key_pem);
	}
	t->trust = (struct http_trust) { t->ca_pem, t->certificate_pem, t->key_pem };
	t->whole = t;
	kube_tenant_init(&t->tenant);
	*ret_target = t;
	return 0;
}

struct kube_target *kube_target_share(struct kube_target *target, struct kube_memory *memory,
				      size_t rows)
{
	struct kube_target *t = mem_calloc(1, sizeof(*t));

	*t = *target;
	kube_budget_open(&t->budget, memory, rows);
	return t;
}

void kube_target_free(struct kube_target *target)
{
	if (target == NULL)
		return;
	kube_budget_close(&target->budget);
	if (target->whole != target) {
		free(target);
		return;
	}
	free(target->owner);
	free(target->server);
	free(target->namespace);
	free(target->ca_pem);
	free(target->certificate_pem);
	wipe(target->key_pem);
	wipe(target->token);
	wipe(target->authorization);
	free(target);
}

void kube_target_set_owner(struct kube_target *target, const char *user_id)
{
	free(target->owner);
	target->owner = mem_strdup(user_id);
}

const char *kube_target_namespace(const struct kube_target *target)
{
	return target->namespace;
}

const char *kube_target_server(const struct kube_target *target)
{
	return target->server;
}
