#include <string.h>

#include "auth.h"
#include "base/cleanup.h"
#include "base/mem.h"
#include "crypto/jwt.h"
#include "kube/kubeconfig.h"
#include "provider/sealos.h"
#include "providers.h"
#include "store/config.h"
#include "store/identity.h"

enum { SEALED_KUBECONFIG_MAX = 131072 };

const struct field auth_sealos_fields[] = {
	{ .name = "token", .type = FIELD_STRING, .required = true, .min = 1, .max = JWT_MAX_BYTES },
	{ .name = "kubeconfig",
	  .type = FIELD_STRING,
	  .required = true,
	  .min = 1,
	  .max = KUBECONFIG_MAX_BYTES },
	{ .name = "bearer", .type = FIELD_BOOL },
	FIELDS_END,
};

static int store_kubeconfig(struct db *tx, struct providers *providers, const char *user_id,
			    const struct kubeconfig *config, const char *text, struct err *e)
{
	CLEANUP(cleanup_free) char *context = mem_printf("kubeconfig:%s", user_id);
	CLEANUP(buf_release) struct buf sealed = BUF_INIT(SEALED_KUBECONFIG_MAX);

	if (providers_seal(providers, context, text, strlen(text), &sealed, e) < 0)
		return -1;
	struct kubeconfig_new row = {
		.user_id = user_id,
		.sealed = sealed.data,
		.sealed_length = sealed.length,
		.server = config->server,
		.namespace = config->namespace,
		.account = config->user,
		.expires_at = config->expires_at,
	};
	return kubeconfig_put(tx, &row, e);
}

/* All that came was checked: identity, kubeconfig and session, or none of them. */
static int log_in(struct call *c, const struct sealos_account *account,
		  const struct kubeconfig *config, struct err *e)
{
	const struct auth *auth = c->context;
	struct providers *providers = auth->providers;
	struct identity_owner owner;
	struct identity_claim claim = {
		.provider = "SEALOS",
		.provider_user_id = account->user_id,
		.name = account->user_id,
		.metadata = account->claims,
	};
	CLEANUP(db_rollback_guard) struct db *tx = NULL;

	if (db_begin(c->db, &tx, e) < 0 ||
	    identity_login(tx, &claim, providers_may_register(providers), &owner, e) < 0 ||
	    store_kubeconfig(tx, providers, owner.user_id, config,
			     field_string(c->body, "kubeconfig"), e) < 0 ||
	    login_finish(c, tx, owner.user_id, owner.identity_id, e) < 0)
		return -1;
	return db_commit(&tx, e);
}

int auth_sealos(struct call *c, struct err *e)
{
	const struct auth *auth = c->context;
	const struct buf *secret = providers_sealos_secret(auth->providers);
	const char *text = field_string(c->body, "kubeconfig");
	CLEANUP(sealos_account_clear) struct sealos_account account = { .claims = NULL };
	CLEANUP(kubeconfig_clear) struct kubeconfig config = { .server = NULL };
	int64_t now;

	if (secret == NULL)
		return providers_off("Sealos", e);
	/* Who they are comes first: a stranger learns nothing from how we read kubeconfigs. */
	if (identity_clock(c->db, &now, e) < 0 ||
	    sealos_read_token(field_string(c->body, "token"), secret, now, &account, e) < 0)
		return -1;
	if (kubeconfig_parse(text, strlen(text), &config, e) < 0 ||
	    kubeconfig_check_address(&config, providers_cluster_addresses(auth->providers), e) < 0)
		return err_wrap(e, "kubeconfig");
	if (sealos_check_namespace(&account, config.namespace, e) < 0)
		return -1;
	return log_in(c, &account, &config, e);
}
