#include "provider/provider.h"

#include <stdlib.h>
#include <string.h>

#include "provider/oauth.h"

static const struct {
	const char *id;
	int (*login_url)(const struct provider *p, struct fetcher *f, const char *state,
			 const char *verifier, char **ret_url, struct err *e);
	int (*identify)(const struct provider *p, struct fetcher *f,
			const struct provider_return *back, struct provider_account *ret_account,
			struct err *e);
} kinds[PROVIDER_COUNT] = {
	[PROVIDER_GITHUB] = { "github", github_login_url, github_identify },
	[PROVIDER_OIDC] = { "oidc", oidc_login_url, oidc_identify },
};

const char *provider_id(enum provider_kind kind)
{
	return kinds[kind].id;
}

int provider_login_url(const struct provider *p, struct fetcher *f, const char *state,
		       const char *verifier, char **ret_url, struct err *e)
{
	if (kinds[p->kind].login_url(p, f, state, verifier, ret_url, e) < 0)
		return err_wrap(e, "%s", p->title);
	return 0;
}

int provider_identify(const struct provider *p, struct fetcher *f,
		      const struct provider_return *back, struct provider_account *ret_account,
		      struct err *e)
{
	if (kinds[p->kind].identify(p, f, back, ret_account, e) < 0)
		return err_wrap(e, "%s", p->title);
	return 0;
}

void provider_account_clear(struct provider_account *account)
{
	if (account->token != NULL)
		explicit_bzero(account->token, strlen(account->token));
	free(account->token);
	free(account->id);
	free(account->name);
	json_decref(account->metadata);
	*account = (struct provider_account) { .id = NULL };
}
