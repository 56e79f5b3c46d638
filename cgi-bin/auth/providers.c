#include "providers.h"

#include <stdlib.h>
#include <string.h>

#include "auth.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "base/mem.h"
#include "crypto/jwt.h"
#include "crypto/seal.h"
#include "web/csrf.h"
#include "web/router.h"

enum { SECRET_MAX = 4096 };

/* Options of providers that speak OAuth. CONF_OPTION_COUNT: it has no such option. */
static const struct {
	enum conf_option client_id, client_secret_file, url, api_url, name, scope;
} oauth_options[PROVIDER_COUNT] = {
	[PROVIDER_GITHUB] = { CONF_GITHUB_CLIENT_ID, CONF_GITHUB_CLIENT_SECRET_FILE,
			      CONF_GITHUB_URL, CONF_GITHUB_API_URL, CONF_OPTION_COUNT,
			      CONF_GITHUB_SCOPE },
	[PROVIDER_OIDC] = { CONF_OIDC_CLIENT_ID, CONF_OIDC_CLIENT_SECRET_FILE, CONF_OIDC_ISSUER,
			    CONF_OPTION_COUNT, CONF_OIDC_NAME, CONF_OIDC_SCOPE },
};

struct oauth {
	struct provider provider; /* without client_id: off */
	struct buf secret;
	char *redirect_uri;
};

struct providers {
	const struct conf *conf;
	struct address_policy *cluster_addresses;
	struct keyring *cluster_key; /* NULL: not read yet */
	struct buf sealos_secret;    /* empty: off */
	struct oauth oauth[PROVIDER_COUNT];
	struct fetcher *fetcher; /* NULL: not needed yet */
};

/* Reads the file that an option names, without the newline at its end; nothing if the option is not
 * set. */
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

static const char *string_or(const struct conf *conf, enum conf_option option,
			     const char *otherwise)
{
	return option == CONF_OPTION_COUNT ? otherwise : conf_string(conf, option);
}

static void report_to_operator(const char *what, const char *expected, const char *received)
{
	log_line(LOG_LEVEL_ERROR, what, LOG_STR("expected", expected),
		 LOG_STR("received", received));
}

static int open_oauth(struct providers *p, enum provider_kind kind, const char *origin,
		      struct err *e)
{
	struct oauth *o = &p->oauth[kind];

	if (conf_string(p->conf, oauth_options[kind].client_id) == NULL)
		return 0;
	if (read_secret(p->conf, oauth_options[kind].client_secret_file, 1, &o->secret, e) < 0)
		return -1;
	o->redirect_uri = mem_printf("%s/api/auth/%s/callback", origin, provider_id(kind));
	o->provider = (struct provider) {
		.kind = kind,
		.url = conf_string(p->conf, oauth_options[kind].url),
		.api_url = string_or(p->conf, oauth_options[kind].api_url, NULL),
		.title = string_or(p->conf, oauth_options[kind].name, "GitHub"),
		.client_id = conf_string(p->conf, oauth_options[kind].client_id),
		.client_secret = o->secret.data,
		.scope = conf_string(p->conf, oauth_options[kind].scope),
		.redirect_uri = o->redirect_uri,
		.tell_operator = report_to_operator,
	};
	return 0;
}

static int open_all(struct providers *p, struct err *e)
{
	const char *allowed = conf_string(p->conf, CONF_KUBE_ALLOW_ADDRESSES);
	CLEANUP(cleanup_free) char *origin = NULL;

	if (address_policy_new(allowed, &p->cluster_addresses, e) < 0)
		return err_wrap(e, "kube_allow_addresses");
	if (read_secret(p->conf, CONF_SEALOS_JWT_SECRET_FILE, JWT_SECRET_MIN, &p->sealos_secret,
			e) < 0 ||
	    csrf_origin(conf_string(p->conf, CONF_PUBLIC_URL), &origin, e) < 0)
		return -1;
	for (int kind = 0; kind < PROVIDER_COUNT; kind++) {
		if (open_oauth(p, (enum provider_kind)kind, origin, e) < 0)
			return -1;
	}
	return 0;
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
	for (int kind = 0; kind < PROVIDER_COUNT; kind++) {
		buf_wipe(&p->oauth[kind].secret);
		free(p->oauth[kind].redirect_uri);
	}
	fetcher_free(p->fetcher);
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

const struct provider *providers_oauth(const struct providers *p, enum provider_kind kind)
{
	const struct provider *provider = &p->oauth[kind].provider;

	return provider->client_id != NULL ? provider : NULL;
}

int providers_fetcher(struct providers *p, struct fetcher **ret_fetcher, struct err *e)
{
	const struct fetcher_options options = {
		.ca_file = conf_string(p->conf, CONF_PROVIDER_CA_FILE),
		.allow_addresses = conf_string(p->conf, CONF_PROVIDER_ALLOW_ADDRESSES),
		.timeout_ms = conf_number(p->conf, CONF_PROVIDER_TIMEOUT),
	};

	if (p->fetcher == NULL && fetcher_new(&options, &p->fetcher, e) < 0) {
		e->kind = ERR_INTERNAL; /* the operator has to act */
		return err_wrap(e, "provider_ca_file, provider_allow_addresses");
	}
	*ret_fetcher = p->fetcher;
	return 0;
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
		e->kind = ERR_INTERNAL; /* the operator has to act */
		return err_wrap(e, "key");
	}
	return seal(p->cluster_key, context, plain, length, ret_sealed, e);
}

static void describe(json_t *object, const char *id, const char *title, const char *type,
		     const char *login_url, const char *callback_url)
{
	json_object_set_new(object, id,
			    json_pack("{s:s, s:s, s:s, s:s, s:s}", "id", id, "name", title, "type",
				      type, "signinUrl", login_url, "callbackUrl", callback_url));
}

/* Origins of the sites that may show ours in a frame, and so may be asked for the user's
 * session. */
static json_t *frame_origins(const struct providers *p)
{
	const char *configured = conf_string(p->conf, CONF_FRAME_ANCESTORS);
	CLEANUP(cleanup_free) char *words = mem_strdup(configured ? configured : "");
	json_t *origins = json_array();
	char *rest = NULL;

	for (char *word = strtok_r(words, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
		json_array_append_new(origins, json_string(word));
	return origins;
}

void providers_describe(const struct call *c, json_t *object)
{
	static const char *const types[PROVIDER_COUNT] = {
		[PROVIDER_GITHUB] = "oauth", [PROVIDER_OIDC] = "oidc"
	};
	const struct auth *auth = c->context;
	const struct providers *p = auth->providers;
	const char *origin = c->router->public_origin;
	CLEANUP(cleanup_free) char *sealos = mem_printf("%s/api/auth/sealos", origin);

	if (providers_sealos_secret(p) != NULL) {
		describe(object, "sealos", "Sealos", "sealos", sealos, sealos);
		json_object_set_new(json_object_get(object, "sealos"), "origins", frame_origins(p));
	}
	for (int i = 0; i < PROVIDER_COUNT; i++) {
		enum provider_kind kind = (enum provider_kind)i;
		const struct provider *provider = providers_oauth(p, kind);
		if (provider == NULL)
			continue;
		const char *id = provider_id(kind);
		CLEANUP(cleanup_free)
		char *login = mem_printf("%s/api/auth/%s/login", origin, id);
		describe(object, id, provider->title, types[kind], login,
			 p->oauth[kind].redirect_uri);
	}
}
