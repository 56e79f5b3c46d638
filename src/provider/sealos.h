#ifndef FSA_PROVIDER_SEALOS_H
#define FSA_PROVIDER_SEALOS_H

#include <stdint.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/err.h"

/*
 * Somebody whom a Sealos desktop has logged in and who opened our app in it. The desktop vouches
 * for them with a JWT, signed with a secret that it shares with us (HS256; its claims are those of
 * labring/sealos, frontend/desktop). What a page says about itself counts for nothing.
 */
struct sealos_account {
	json_t *claims;           /* those we know, and no others */
	const char *user_id;      /* "userId"; this and the next are the claims' */
	const char *workspace_id; /* "workspaceId": the namespace that they work in */
};

/* ERR_UNAUTHENTICATED: not signed with the secret, expired at `now`, or with a wrong claim
 * (crypto/jwt.h). */
int sealos_read_token(const char *token, const struct buf *secret, int64_t now,
		      struct sealos_account *ret_account, struct err *e);
void sealos_account_clear(struct sealos_account *account); /* for CLEANUP */

/* Whether a kubeconfig's namespace is the workspace's. ERR_UNPROCESSABLE, code
 * WORKSPACE_MISMATCH. */
int sealos_check_namespace(const struct sealos_account *account, const char *namespace,
			   struct err *e);

#endif
