/* OpenID Connect (OpenID Connect Core 1.0 and Discovery 1.0, code flow): the ID token says who has
 * logged in, if issuer, audience, times, nonce and signature are right. Discovery and keys are
 * fetched at every login: nothing is cached that a provider could have changed. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "crypto/jwks.h"
#include "crypto/jwt.h"
#include "crypto/token.h"
#include "provider/oauth.h"

enum { URL_MAX = 2048, ID_MAX = 255, NAME_MAX = 255, AUDIENCES_MAX = 20 };

/* The provider's checked description of itself. Its strings belong to the document. */
struct discovery {
	json_t *document;
	const char *login, *token, *keys;
	bool secret_in_header; /* client_secret_basic; else client_secret_post */
};

static void discovery_clear(struct discovery *d)
{
	json_decref(d->document);
}

static bool is_text(const json_t *value, const char *expected)
{
	return json_is_string(value) && strcmp(json_string_value(value), expected) == 0;
}

static int read_endpoint(const json_t *document, const char *name, const char **ret_url,
			 struct err *e)
{
	const char *url = oauth_text(document, name, URL_MAX);

	if (url == NULL || strncmp(url, "https://", 8) != 0)
		return oauth_implausible(e, name);
	*ret_url = url;
	return 0;
}

/* Whether the secret is sent in a header (client_secret_basic) or in the form (client_secret_post).
 * According to Discovery, section 3, the default is the former. A provider that names neither gets
 * it in the form, and reports an error if it does not accept that. */
static bool wants_secret_in_header(const json_t *document)
{
	const json_t *methods = json_object_get(document, "token_endpoint_auth_methods_supported");
	const json_t *method;
	size_t i;

	json_array_foreach(methods, i, method)
	{
		if (is_text(method, "client_secret_basic"))
			return true;
	}
	return !json_is_array(methods);
}

/* The user learns only that the issuer is wrong; the log contains what was expected and
 * received. */
static int wrong_issuer(const struct provider *p, const char *issuer, struct err *e)
{
	if (p->tell_operator != NULL)
		p->tell_operator("the provider's issuer is another than oidc_issuer", p->url,
				 issuer != NULL ? issuer : "");
	return err_set(e, ERR_PROVIDER, "PROVIDER_ISSUER",
		       "calls itself by another name (issuer) than this site was set up for: this "
		       "site's administrator has to correct that");
}

static int discover(const struct provider *p, struct fetcher *f, struct discovery *ret_discovery,
		    struct err *e)
{
	CLEANUP(cleanup_free)
	char *url = oauth_join(p->url, "/.well-known/openid-configuration");
	CLEANUP(json_decrefp) json_t *document = NULL;
	const struct fetch request = { .url = url };
	struct discovery found = { .document = NULL };
	long status;

	if (fetch_json(f, &request, &document, &status, e) < 0)
		return -1;
	/* Discovery, section 4.3: a document about another issuer is invalid. */
	const char *issuer = oauth_text(document, "issuer", URL_MAX);
	if (status != 200)
		return oauth_implausible(e, "description of itself");
	if (issuer == NULL || strcmp(issuer, p->url) != 0)
		return wrong_issuer(p, issuer, e);
	if (read_endpoint(document, "authorization_endpoint", &found.login, e) < 0 ||
	    read_endpoint(document, "token_endpoint", &found.token, e) < 0 ||
	    read_endpoint(document, "jwks_uri", &found.keys, e) < 0)
		return -1;
	found.secret_in_header = wants_secret_in_header(document);
	found.document = STEAL(document);
	*ret_discovery = found;
	return 0;
}

/* Core, section 15.5.2: a hash of a secret that only this browser has. */
static void make_nonce(const char *verifier, char ret_nonce[TOKEN_LENGTH + 1])
{
	CLEANUP(cleanup_free) char *text = mem_printf("nonce:%s", verifier);

	token_challenge(text, ret_nonce);
}

int oidc_login_url(const struct provider *p, struct fetcher *f, const char *state,
		   const char *verifier, char **ret_url, struct err *e)
{
	CLEANUP(discovery_clear) struct discovery d = { .document = NULL };
	char nonce[TOKEN_LENGTH + 1];

	if (discover(p, f, &d, e) < 0)
		return -1;
	make_nonce(verifier, nonce);
	*ret_url = oauth_login_url(p, d.login, state, verifier, nonce);
	return 0;
}

/* "aud" is or contains our client id; if it contains others, or "azp" is given, "azp" is our id
 * (Core, section 3.1.3.7). */
static bool is_for_us(const json_t *claims, const char *client_id)
{
	const json_t *audience = json_object_get(claims, "aud"), *one;
	const json_t *party = json_object_get(claims, "azp");
	bool among = is_text(audience, client_id);
	size_t index;

	if (json_array_size(audience) > AUDIENCES_MAX)
		return false;
	json_array_foreach(audience, index, one)
	{
		among = among || is_text(one, client_id);
	}
	if (party == NULL)
		return among && json_array_size(audience) <= 1;
	return among && is_text(party, client_id);
}

static int check_claims(const struct provider *p, const json_t *claims, const char *verifier,
			int64_t now, struct err *e)
{
	char nonce[TOKEN_LENGTH + 1];

	make_nonce(verifier, nonce);
	if (!is_text(json_object_get(claims, "iss"), p->url) && p->tell_operator != NULL)
		p->tell_operator("the ID token's issuer is another than oidc_issuer", p->url,
				 json_string_value(json_object_get(claims, "iss")));
	if (!is_text(json_object_get(claims, "iss"), p->url))
		return oauth_implausible(e, "ID token (its issuer is another one)");
	if (!is_for_us(claims, p->client_id))
		return oauth_implausible(e, "ID token (it is for somebody else)");
	if (!is_text(json_object_get(claims, "nonce"), nonce))
		return oauth_implausible(e, "ID token (it is of another login)");
	if (json_object_get(claims, "iat") == NULL)
		return oauth_implausible(e, "ID token (it does not say when it was made)");
	return jwt_check_times(claims, now, e);
}

/* Checks signature and claims. A wrong token is the provider's fault, not the browser's. */
static int read_id_token(const struct provider *p, const char *token, const json_t *jwks,
			 const char *verifier, int64_t now, json_t **ret_claims, struct err *e)
{
	CLEANUP(json_decrefp) json_t *header = NULL;
	CLEANUP(json_decrefp) json_t *claims = NULL;
	CLEANUP(cleanup_free) char *pem = NULL;
	enum jwt_algorithm algorithm = JWT_RS256;
	struct err wrong;

	int result = jwt_read_header(token, &header, &wrong);
	if (result == 0)
		result = jwks_find(jwks, header, &algorithm, &pem, &wrong);
	if (result == 0) {
		const struct jwt_key key = { algorithm, pem, strlen(pem) };
		result = jwt_read_claims(token, &key, &claims, &wrong);
	}
	if (result == 0)
		result = check_claims(p, claims, verifier, now, &wrong);
	if (result < 0)
		return err_set(e, ERR_PROVIDER, "PROVIDER_ANSWER", "%s", wrong.message);
	*ret_claims = STEAL(claims);
	return 0;
}

/* A subject is unique only at its issuer, and an operator may change the issuer. */
static int make_account(const struct provider *p, const json_t *claims,
			struct provider_account *ret_account, struct err *e)
{
	static const char *const names[] = { "preferred_username", "name", "email" };
	const char *subject = oauth_text(claims, "sub", ID_MAX);
	const char *name = NULL;

	if (subject == NULL || strlen(subject) + 1 + strlen(p->url) > ID_MAX)
		return oauth_implausible(e, "subject");
	for (size_t i = 0; name == NULL && i < ARRAY_SIZE(names); i++)
		name = oauth_text(claims, names[i], NAME_MAX);
	if (name == NULL)
		name = subject;
	*ret_account = (struct provider_account) {
		.id = mem_printf("%s#%s", p->url, subject),
		.name = mem_strdup(name),
		.metadata = json_pack("{s:s, s:s}", "name", name, "issuer", p->url),
	};
	return 0;
}

int oidc_identify(const struct provider *p, struct fetcher *f, const struct provider_return *back,
		  struct provider_account *ret_account, struct err *e)
{
	CLEANUP(discovery_clear) struct discovery d = { .document = NULL };
	CLEANUP(json_decrefp) json_t *answer = NULL;
	CLEANUP(json_decrefp) json_t *jwks = NULL;
	CLEANUP(json_decrefp) json_t *claims = NULL;
	long status;

	if (discover(p, f, &d, e) < 0)
		return -1;
	/* The ID token says who it is, so the access token is not used. */
	const struct oauth_code code = {
		.endpoint = d.token,
		.code = back->code,
		.verifier = back->verifier,
		.secret_in_header = d.secret_in_header,
		.token_unused = true,
	};
	if (oauth_exchange(p, f, &code, &answer, e) < 0)
		return -1;
	const char *token = json_string_value(json_object_get(answer, "id_token"));
	if (token == NULL)
		return oauth_implausible(e, "ID token");
	const struct fetch request = { .url = d.keys };
	if (fetch_json(f, &request, &jwks, &status, e) < 0)
		return -1;
	if (status != 200)
		return oauth_implausible(e, "key set");
	if (read_id_token(p, token, jwks, back->verifier, back->now, &claims, e) < 0)
		return -1;
	return make_account(p, claims, ret_account, e);
}
