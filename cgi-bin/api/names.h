#ifndef FSA_API_NAMES_H
#define FSA_API_NAMES_H

#include "base/conf.h"
#include "base/err.h"
#include "domain/project.h"
#include "store/project.h"
#include "web/route.h"

/* What we choose for a new sandbox or database. Names in the cluster are derived from the project's
 * name and random letters, never taken from a request. */
struct new_sandbox {
	struct sandbox_new row; /* points into the rest */
	char id[STORE_ID_LENGTH + 1];
	char name[RESOURCE_NAME_MAX + 1];
	char app_host[254], ttyd_host[254];
	struct buf terminal_token_sealed;
};
/* With a terminal token of its own, sealed. ERR_INTERNAL: ingress_domain is not configured, or the
 * key cannot be read. `s` is to be cleared also after a failure. */
int new_sandbox_init(struct new_sandbox *s, const struct call *c, const char *kube_name,
		     struct err *e);
void new_sandbox_clear(struct new_sandbox *s); /* for CLEANUP */

struct new_database {
	struct database_new row;
	char id[STORE_ID_LENGTH + 1];
	char name[RESOURCE_NAME_MAX + 1];
};
void new_database_init(struct new_database *d, const struct conf *conf, const char *kube_name);

#endif
