#ifndef FSA_PROVIDER_PROVIDER_H
#define FSA_PROVIDER_PROVIDER_H

#include <stdint.h>

#include <jansson.h>

#include "base/err.h"
#include "provider/fetch.h"

/*
 * Identity providers that speak OAuth 2 (RFC 6749, 7636, 9700): a browser is sent to one with a
 * state and a challenge, comes back with the state and a code, and the code with the verifier gives
 * a token for asking who that was. Everything from the provider is checked, also that it is
 * plausible; nothing is stored here.
 */
enum provider_kind { PROVIDER_GITHUB, PROVIDER_OIDC, PROVIDER_COUNT };

struct provider {
	enum provider_kind kind;
	const char *url;     /* where people log in: https://github.com; the issuer */
	const char *api_url; /* where we ask: https://api.github.com; OpenID Connect: NULL */
	const char *title;   /* what people know it by: "GitHub" */
	const char *client_id, *client_secret;
	const char *scope;        /* or NULL: none */
	const char *redirect_uri; /* of ours */
	/* Receives, for the operator's log, a mismatch that does not concern the person who logs
	 * in; or NULL. `received` is the provider's value, and may be NULL. */
	void (*tell_operator)(const char *what, const char *expected, const char *received);
};

const char *provider_id(enum provider_kind kind); /* in URLs: "github", "oidc" */

/* Where the browser goes. The caller frees. Errors: see provider_identify(). */
int provider_login_url(const struct provider *p, struct fetcher *f, const char *state,
		       const char *verifier, char **ret_url, struct err *e);

/* What came back with the browser, and when by the database's clock. */
struct provider_return {
	const char *code, *verifier;
	int64_t now;
};

struct provider_account {
	char *id;         /* the provider's own, which it never gives to another person */
	char *name;       /* which people know it by */
	json_t *metadata; /* what else may be kept; has "name" */
	char *token;      /* for the provider's API, or NULL */
};
/* Identifies the person who returned with the code. ERR_INVALID with code CODE_REFUSED: the
 * provider does not know the code (any more), or it is for another browser; ERR_PROVIDER: the
 * provider failed or its response makes no sense, see provider/fetch.h; PROVIDER_REFUSED: it does
 * not accept our client id or secret. */
int provider_identify(const struct provider *p, struct fetcher *f,
		      const struct provider_return *back, struct provider_account *ret_account,
		      struct err *e);
void provider_account_clear(struct provider_account *account); /* wipes the token; for CLEANUP */

#endif
