#ifndef FSA_AUTH_PROVIDERS_H
#define FSA_AUTH_PROVIDERS_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/conf.h"
#include "base/err.h"
#include "http/address.h"
#include "provider/provider.h"
#include "web/route.h"

/* What all external logins share: secrets, the cluster's public key, the addresses that kubeconfigs
 * may name. A provider without its secret is off. */
struct providers;

int providers_open(const struct conf *conf, struct providers **ret_providers, struct err *e);
void providers_close(struct providers *p); /* NULL is fine; secrets are wiped */

/* Whether a person without an account may get one. */
bool providers_may_register(const struct providers *p);
const struct address_policy *providers_cluster_addresses(const struct providers *p);
/* NULL: Sealos is off. */
const struct buf *providers_sealos_secret(const struct providers *p);
/* NULL: it is off. */
const struct provider *providers_oauth(const struct providers *p, enum provider_kind kind);
/* For requests to them; opened when first needed. */
int providers_fetcher(struct providers *p, struct fetcher **ret_fetcher, struct err *e);
/* ERR_NOT_FOUND, code PROVIDER_OFF. */
int providers_off(const char *name, struct err *e);
/* Seals to the cluster's key, which nothing on this side can open. */
int providers_seal(struct providers *p, const char *context, const void *plain, size_t length,
		   struct buf *ret_sealed, struct err *e);
/* Adds the enabled providers to the response of /api/auth/providers. */
void providers_describe(const struct call *c, json_t *object);

#endif
