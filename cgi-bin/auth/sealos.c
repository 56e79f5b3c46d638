#include <string.h>

#include "auth.h"
#include "base/cleanup.h"
#include "crypto/jwt.h"
#include "kube/kubeconfig.h"
#include "provider/sealos.h"
#include "providers.h"
#include "store/cluster.h"
#include "store/identity.h"
#include "web/router.h"

enum { TOKEN_MAX_BYTES = 16384 };

#define CREDENTIALS                                                                                \
	{ .name = "token",                                                                         \
	  .type = FIELD_STRING,                                                                    \
	  .required = true,                                                                        \
	  .min = 1,                                                                                \
	  .max = TOKEN_MAX_BYTES },                                                                \
	{                                                                                          \
		.name = "kubeconfig", .type = FIELD_STRING, .required = true, .min = 1,            \
		.max = KUBECONFIG_MAX_BYTES                                                        \
	}

const struct field auth_sealos_bind_fields[] = { CREDENTIALS, FIELDS_END };

const struct field auth_sealos_fields[] = {
	CREDENTIALS,
	AUTH_FIELD_BEARER,
	FIELDS_END,
};

/* What the desktop has sent, once it is checked. */
struct handed {
	struct sealos_account account;
	struct kubeconfig config;
};

static void handed_clear(struct handed *h)
{
	sealos_account_clear(&h->account);
	kubeconfig_clear(&h->config);
}

static int check_all(struct call *c, struct handed *h, struct err *e)
{
	const struct auth *auth = c->context;
	const struct buf *secret = providers_sealos_secret(auth->providers);
	const char *text = field_string(c->body, "kubeconfig");
	int64_t now;

	if (secret == NULL)
		return providers_off("sealos", e);
	/* The token is checked first: strangers learn nothing about how kubeconfigs are read. */
	if (identity_clock(c->db, &now, e) < 0 ||
	    sealos_read_token(field_string(c->body, "token"), secret, now, &h->account, e) < 0)
		return -1;
	if (kubeconfig_parse(text, strlen(text), &h->config, e) < 0 ||
	    kubeconfig_check_address(&h->config, providers_cluster_addresses(auth->providers), e) <
		    0)
		return err_wrap(e, "kubeconfig");
	return sealos_check_namespace(&h->account, h->config.namespace, e);
}

static struct identity_claim claim_of(const struct sealos_account *account)
{
	return (struct identity_claim) {
		.provider = "SEALOS",
		.provider_user_id = account->user_id,
		.name = account->user_id,
		.metadata = account->claims,
	};
}

static int seal_for_reconciler(const void *user, const char *context, const void *plain,
			       size_t length, struct buf *ret_sealed, struct err *e)
{
	const struct auth *auth = user;

	return providers_seal(auth->providers, context, plain, length, ret_sealed, e);
}

static int store_kubeconfig(const struct call *c, struct db *tx, const char *user_id,
			    const struct kubeconfig *config, struct err *e)
{
	const struct cluster_new row = {
		.id = user_id,
		.user_id = user_id,
		.name = CLUSTER_DEFAULT,
		.server = config->server,
		.namespace = config->namespace,
		.account = config->user,
		.expires_at = config->expires_at,
	};

	return cluster_put(tx, &row, field_string(c->body, "kubeconfig"), seal_for_reconciler,
			   c->context, e);
}

/* Stores identity, kubeconfig and session, or none of them. */
static int log_in(struct call *c, struct err *e)
{
	const struct auth *auth = c->context;
	CLEANUP(handed_clear) struct handed handed = { .account = { .claims = NULL } };
	CLEANUP(db_rollback_guard) struct db *tx = NULL;
	struct identity_owner owner;

	if (check_all(c, &handed, e) < 0)
		return -1;
	struct identity_claim claim = claim_of(&handed.account);
	if (db_begin(c->db, &tx, e) < 0 ||
	    identity_login(tx, &claim, providers_may_register(auth->providers), &owner, e) < 0 ||
	    store_kubeconfig(c, tx, owner.user_id, &handed.config, e) < 0 ||
	    login_finish(c, tx, owner.user_id, owner.identity_id, e) < 0)
		return -1;
	return db_commit(&tx, e);
}

int auth_sealos(struct call *c, struct err *e)
{
	return login_ended(c, "sealos", log_in(c, e), e);
}

/* For a user with a session: binds the identity and its kubeconfig to them. */
int auth_sealos_bind(struct call *c, struct err *e)
{
	const char *user_id = c->session->user_id;
	CLEANUP(handed_clear) struct handed handed = { .account = { .claims = NULL } };

	if (check_all(c, &handed, e) < 0)
		return -1;
	struct identity_claim claim = claim_of(&handed.account);
	if (identity_bind(c->db, user_id, &claim, c->object_id, e) < 0 ||
	    store_kubeconfig(c, c->db, user_id, &handed.config, e) < 0)
		return -1;
	response_json(c->response, 200,
		      json_pack("{s:s, s:s, s:s}", "id", c->object_id, "provider", "SEALOS", "name",
				handed.account.user_id));
	return 0;
}
