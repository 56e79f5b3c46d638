#include "providers.h"

#include <stdlib.h>
#include <string.h>

#include "auth.h"
#include "base/cleanup.h"
#include "base/mem.h"
#include "crypto/jwt.h"
#include "crypto/seal.h"
#include "web/router.h"

enum { SECRET_MAX = 4096 };

struct providers {
	const struct conf *conf;
	struct address_policy *cluster_addresses;
	struct keyring *cluster_key; /* NULL: not read yet */
	struct buf sealos_secret;    /* empty: off */
};

/* The content of the file that an option names, without the end of its line. Nothing if the option
 * is not set. */
static int read_secret(const struct conf *conf, enum conf_option option, size_t min,
		       struct buf *ret_secret, struct err *e)
{
	const char *path = conf_string(conf, option);

	*ret_secret = BUF_INIT(SECRET_MAX);
	if (path == NULL)
		return 0;
	if (buf_read_file(ret_secret, path, e) < 0)
		return err_wrap(e, "%s", conf_spec(option)->name);
	while (ret_secret->length > 0 && strchr("\r\n", ret_secret->data[ret_secret->length - 1]))
		ret_secret->data[--ret_secret->length] = '\0';
	if (ret_secret->length < min)
		return err_set(e, ERR_INVALID, NULL, "%s: %s has fewer than %zu characters",
			       conf_spec(option)->name, path, min);
	return 0;
}

static int open_all(struct providers *p, struct err *e)
{
	const char *allowed = conf_string(p->conf, CONF_KUBE_ALLOW_ADDRESSES);

	if (address_policy_new(allowed, &p->cluster_addresses, e) < 0)
		return err_wrap(e, "kube_allow_addresses");
	return read_secret(p->conf, CONF_SEALOS_JWT_SECRET_FILE, JWT_SECRET_MIN, &p->sealos_secret,
			   e);
}

int providers_open(const struct conf *conf, struct providers **ret_providers, struct err *e)
{
	struct providers *p = mem_calloc(1, sizeof(*p));

	p->conf = conf;
	if (open_all(p, e) < 0) {
		providers_close(p);
		return -1;
	}
	*ret_providers = p;
	return 0;
}

void providers_close(struct providers *p)
{
	if (p == NULL)
		return;
	address_policy_free(p->cluster_addresses);
	keyring_free(p->cluster_key);
	buf_wipe(&p->sealos_secret);
	free(p);
}

bool providers_may_register(const struct providers *p)
{
	return strcmp(conf_string(p->conf, CONF_PROVIDER_REGISTRATION), "open") == 0;
}

const struct address_policy *providers_cluster_addresses(const struct providers *p)
{
	return p->cluster_addresses;
}

const struct buf *providers_sealos_secret(const struct providers *p)
{
	return p->sealos_secret.length > 0 ? &p->sealos_secret : NULL;
}

int providers_off(const char *name, struct err *e)
{
	return err_set(e, ERR_NOT_FOUND, "PROVIDER_OFF", "This site offers no login by %s", name);
}

int providers_seal(struct providers *p, const char *context, const void *plain, size_t length,
		   struct buf *ret_sealed, struct err *e)
{
	const char *path = conf_string(p->conf, CONF_CLUSTER_PUBLIC_KEY_FILE);

	if (p->cluster_key == NULL && keyring_load_public(path, &p->cluster_key, e) < 0) {
		e->kind = ERR_INTERNAL; /* the operator's business */
		return err_wrap(e, "key");
	}
	return seal(p->cluster_key, context, plain, length, ret_sealed, e);
}

void providers_describe(const struct call *c, json_t *object)
{
	const struct auth *auth = c->context;
	const struct providers *p = auth->providers;
	CLEANUP(cleanup_free)
	char *sealos = mem_printf("%s/api/auth/sealos", c->router->public_origin);

	if (providers_sealos_secret(p) != NULL)
		json_object_set_new(object, "sealos",
				    json_pack("{s:s, s:s, s:s, s:s, s:s}", "id", "sealos", "name",
					      "Sealos", "type", "sealos", "signinUrl", sealos,
					      "callbackUrl", sealos));
}
