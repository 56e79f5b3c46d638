#ifndef FSA_STORE_NEW_PART_H
#define FSA_STORE_NEW_PART_H

#include "base/buf.h"
#include "base/conf.h"
#include "base/err.h"
#include "domain/project.h"
#include "store/project.h"

/* What we choose for a new sandbox or database. Names in the cluster are derived from the project's
 * name and random letters, never taken from a request; sizes and image are configuration. */
struct new_sandbox {
	struct sandbox_new row; /* points into the rest */
	char id[STORE_ID_LENGTH + 1];
	char name[RESOURCE_NAME_MAX + 1];
	char app_host[254], ttyd_host[254];
	struct buf terminal_token_sealed;
};

/* Seals with the owner's key, however the caller holds it; appends. */
typedef int new_part_seal_fn(const void *user, const char *context, const void *plain,
			     size_t length, struct buf *ret_sealed, struct err *e);

/* With a terminal token of its own, sealed. `id` NULL: a new one. ERR_INVALID: ingress_domain is
 * not configured; or what `seal` fails with. `s` is to be cleared also after a failure. */
int new_sandbox_init(struct new_sandbox *s, const struct conf *conf, const char *id,
		     const char *kube_name, new_part_seal_fn *seal, const void *user,
		     struct err *e);
void new_sandbox_clear(struct new_sandbox *s); /* for CLEANUP */

struct new_database {
	struct database_new row;
	char id[STORE_ID_LENGTH + 1];
	char name[RESOURCE_NAME_MAX + 1];
};
void new_database_init(struct new_database *d, const struct conf *conf, const char *kube_name);

#endif
