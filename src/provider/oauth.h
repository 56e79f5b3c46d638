#ifndef FSA_PROVIDER_OAUTH_H
#define FSA_PROVIDER_OAUTH_H

#include <stdbool.h>

#include "provider/provider.h"

/* What the providers have in common: the two steps of RFC 6749, section 4.1, with PKCE. */

/* A path of a server, whose own URL may end with a '/' or not. The caller frees. */
char *oauth_join(const char *url, const char *path);

/* `nonce` may be NULL. The caller frees. */
char *oauth_login_url(const struct provider *p, const char *endpoint, const char *state,
		      const char *verifier, const char *nonce);
/* A code that came back with a browser, and how it is exchanged for tokens. */
struct oauth_code {
	const char *endpoint, *code, *verifier;
	bool secret_in_header; /* HTTP Basic instead of a member of the form */
	bool token_unused;     /* whatever "access_token" is: it is not used */
};
/* The token endpoint's answer to a code, with an "access_token" that may stand in a header unless
 * it is not used. The caller json_decref()s. Errors as of provider_identify(). */
int oauth_exchange(const struct provider *p, struct fetcher *f, const struct oauth_code *code,
		   json_t **ret_answer, struct err *e);

/* A member that must be a string of 1 to `max` bytes without control characters; NULL otherwise. */
const char *oauth_text(const json_t *object, const char *name, size_t max);
int oauth_implausible(struct err *e, const char *what);

/* github.c */
int github_login_url(const struct provider *p, struct fetcher *f, const char *state,
		     const char *verifier, char **ret_url, struct err *e);
int github_identify(const struct provider *p, struct fetcher *f, const struct provider_return *back,
		    struct provider_account *ret_account, struct err *e);

/* oidc.c */
int oidc_login_url(const struct provider *p, struct fetcher *f, const char *state,
		   const char *verifier, char **ret_url, struct err *e);
int oidc_identify(const struct provider *p, struct fetcher *f, const struct provider_return *back,
		  struct provider_account *ret_account, struct err *e);

#endif
