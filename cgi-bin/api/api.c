#include "api.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"
#include "crypto/seal.h"
#include "store/writable.h"

struct api {
	const struct conf *conf;
	struct address_policy *policy;
	struct keyring *rings[API_KEY_COUNT]; /* NULL: not read yet */
	struct {
		uint64_t until_ms; /* 0: not known */
		int result;
		struct err err;
	} writes;
};

enum { WRITES_KNOWN_MS = 2000 };

static const struct {
	enum conf_option file;
	int (*load)(const char *path, struct keyring **ret_ring, struct err *e);
	int (*seal)(const struct keyring *ring, const char *context, const void *plain,
		    size_t length, struct buf *ret_sealed, struct err *e);
} keys[API_KEY_COUNT] = {
	[API_OWNER] = { CONF_OWNER_PRIVATE_KEY_FILE, keyring_load_private, seal_own },
	[API_CLUSTER_PUBLIC] = { CONF_CLUSTER_PUBLIC_KEY_FILE, keyring_load_public, seal },
};

int api_open(const struct conf *conf, void **ret_context, struct err *e)
{
	struct api *api = mem_calloc(1, sizeof(*api));
	const char *allowed = conf_string(conf, CONF_KUBE_ALLOW_ADDRESSES);

	*ret_context = api;
	api->conf = conf;
	if (address_policy_new(allowed, &api->policy, e) < 0)
		return err_wrap(e, "kube_allow_addresses");
	return 0;
}

void api_close(void *context)
{
	struct api *api = context;

	for (int key = 0; key < API_KEY_COUNT; key++)
		keyring_free(api->rings[key]);
	address_policy_free(api->policy);
	free(api);
}

const struct conf *api_conf(const struct call *c)
{
	const struct api *api = c->context;

	return api->conf;
}

const struct address_policy *api_address_policy(const struct call *c)
{
	const struct api *api = c->context;

	return api->policy;
}

/* A defective key file is the operator's problem, not a mistake in the request. */
static int get_ring(const struct call *c, enum api_key key, const struct keyring **ret_ring,
		    struct err *e)
{
	struct api *api = c->context;
	const char *path = conf_string(api->conf, keys[key].file);

	if (api->rings[key] == NULL && keys[key].load(path, &api->rings[key], e) < 0) {
		e->kind = ERR_INTERNAL;
		return err_wrap(e, "key");
	}
	*ret_ring = api->rings[key];
	return 0;
}

int api_key_check(const struct call *c, enum api_key key, struct err *e)
{
	const struct keyring *ring = NULL;

	return get_ring(c, key, &ring, e);
}

int api_writes_check(const struct call *c, struct err *e)
{
	struct api *api = c->context;

	if (clock_ms() >= api->writes.until_ms) {
		api->writes.result = writable_check(c->db, WRITABLE_BY_API, &api->writes.err);
		api->writes.until_ms = clock_ms() + WRITES_KNOWN_MS;
	}
	if (api->writes.result < 0 && e != NULL)
		*e = api->writes.err;
	return api->writes.result;
}

int api_seal(const struct call *c, enum api_key key, const char *context, const void *plain,
	     size_t length, struct buf *ret_sealed, struct err *e)
{
	const struct keyring *ring = NULL;

	if (get_ring(c, key, &ring, e) < 0)
		return -1;
	return keys[key].seal(ring, context, plain, length, ret_sealed, e);
}

int api_seal_answer(const struct call *c, const char *context, const void *plain, size_t length,
		    struct buf *ret_sealed, struct err *e)
{
	return api_seal(c, API_OWNER, context, plain, length, ret_sealed, e);
}

static int seal_for_sandbox(const void *user, const char *context, const void *plain, size_t length,
			    struct buf *ret_sealed, struct err *e)
{
	return api_seal(user, API_OWNER, context, plain, length, ret_sealed, e);
}

int api_new_sandbox(const struct call *c, struct new_sandbox *ret_sandbox, struct err *e)
{
	return new_sandbox_init(ret_sandbox, NULL, seal_for_sandbox, c, e);
}

int api_unseal(const struct call *c, const char *context, const void *sealed, size_t length,
	       struct buf *ret_plain, struct err *e)
{
	struct api *api = c->context;
	const struct keyring *ring = NULL;

	for (int attempt = 0; attempt < 2; attempt++) {
		if (get_ring(c, API_OWNER, &ring, e) < 0)
			return -1;
		if (unseal_own(ring, context, sealed, length, ret_plain, e) == 0)
			return 0;
		if (strcmp(e->code, "SEAL_UNKNOWN_KEY") != 0)
			break;
		keyring_free(STEAL(api->rings[API_OWNER]));
	}
	e->kind = ERR_INTERNAL;
	return err_wrap(e, "%s", context);
}
