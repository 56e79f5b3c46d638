/* Users of version 0.4, how they log in, and what they configured. */
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/mem.h"
#include "crypto/password.h"
#include "ctl/import.h"
#include "ctl/row.h"
#include "domain/user.h"
#include "kube/kubeconfig.h"
#include "store/cluster.h"
#include "store/contexts.h"

enum {
	PROVIDER_USER_ID_MAX = 255,
	SEALED_SETTING_MAX = SETTING_VALUE_MAX + 512,
	SEALED_TOKEN_MAX = 16384,
};

#define KUBECONFIG_KEY "KUBECONFIG"

/* ---- users ----------------------------------------------------------------------------------- */

/* Users without a name are named after their first identity. */
static const char *name_of(const struct import *i, const json_t *user)
{
	const char *name = row_text_or_null(user, "name");
	size_t n;
	json_t *identity;

	if (name != NULL)
		return name;
	json_array_foreach(i->tables[ORIGINAL_IDENTITIES], n, identity)
	{
		if (strcmp(row_text(identity, "userId"), row_text(user, "id")) == 0)
			return row_text(identity, "providerUserId");
	}
	return row_text(user, "id");
}

static int import_one_user(struct import *i, const json_t *row, struct err *e)
{
	char id[STORE_ID_LENGTH + 1];
	enum import_outcome outcome;
	const struct import_user user = { .id = id,
					  .name = name_of(i, row),
					  .created_at = row_text(row, "createdAt") };

	import_id("User", row_text(row, "id"), id);
	if (import_user(i->tx, &user, &outcome, e) < 0)
		return -1;
	import_say_outcome(i, "user", user.name, outcome, NULL);
	return 0;
}

/* ---- identities ------------------------------------------------------------------------------ */

/* Returns why an identity cannot be used here; NULL if it can. */
static const char *identity_refusal(const json_t *row, const char *provider, const char *name,
				    const char *password_hash)
{
	if (strcmp(provider, "GOOGLE") == 0)
		return "there is no login with Google here";
	if (name[0] == '\0' || strlen(name) > PROVIDER_USER_ID_MAX)
		return "the provider's id is empty or too long";
	if (strcmp(provider, "PASSWORD") != 0)
		return NULL;
	if (user_name_check(name, NULL) < 0)
		return "nobody can log in with this name here: letters, digits and ._@- only";
	if (!password_is_bcrypt(password_hash))
		return "its password hash is not bcrypt's";
	return json_is_true(json_object_get(json_object_get(row, "metadata"), "needReset"))
		       ? "version 0.4 required this password to be reset"
		       : NULL;
}

/* Lowercases ASCII, as names are compared; they contain nothing else. */
static void lower_case(char *name)
{
	static const char upper[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	static const char lower[] = "abcdefghijklmnopqrstuvwxyz";

	for (; *name != '\0'; name++) {
		const char *found = strchr(upper, *name);
		if (found != NULL)
			*name = lower[found - upper];
	}
}

/* Seals the token of a GitHub account; one that is too long to be sealed is dropped. */
static int seal_token(const struct import *i, const char *provider, const char *provider_user_id,
		      const char *token, struct buf *ret_sealed, struct err *e)
{
	CLEANUP(cleanup_free)
	char *context = mem_printf(CONTEXT_IDENTITY, provider, provider_user_id);

	if (token[0] == '\0' || strlen(token) > SEALED_TOKEN_MAX / 2)
		return 0;
	return seal(i->cluster_public, context, token, strlen(token), ret_sealed, e);
}

static int import_one_identity(struct import *i, const json_t *row, struct err *e)
{
	const char *provider = row_text(row, "provider");
	const char *hash = row_text(json_object_get(row, "metadata"), "passwordHash");
	CLEANUP(cleanup_free) char *name = mem_strdup(row_text(row, "providerUserId"));
	CLEANUP(cleanup_free) char *shown = mem_printf("%s of %s", provider, name);
	const char *refusal = identity_refusal(row, provider, name, hash);
	char id[STORE_ID_LENGTH + 1], user_id[STORE_ID_LENGTH + 1];
	enum import_outcome outcome;

	if (refusal != NULL) {
		import_say(i, "identity", shown, "refused", refusal);
		return 0;
	}
	bool by_password = strcmp(provider, "PASSWORD") == 0;
	if (by_password)
		lower_case(name);
	import_id("UserIdentity", row_text(row, "id"), id);
	import_id("User", row_text(row, "userId"), user_id);
	CLEANUP(buf_release) struct buf sealed = BUF_INIT(SEALED_TOKEN_MAX);
	const char *token = row_text(json_object_get(row, "metadata"), "token");
	if (seal_token(i, provider, name, token, &sealed, e) < 0)
		return -1;
	const struct import_identity identity = {
		.id = id,
		.user_id = user_id,
		.provider = provider,
		.provider_user_id = name,
		.password_hash = by_password ? hash : NULL,
		.token_sealed = sealed.data,
		.token_sealed_length = sealed.length,
	};
	if (import_identity(i->tx, &identity, &outcome, e) < 0)
		return -1;
	import_say_outcome(i, "identity", shown, outcome,
			   "somebody else logs in with it here already");
	return 0;
}

/* ---- kubeconfigs ----------------------------------------------------------------------------- */

static int seal_for_reconciler(const void *user, const char *context, const void *plain,
			       size_t length, struct buf *ret_sealed, struct err *e)
{
	const struct import *i = user;

	return seal(i->cluster_public, context, plain, length, ret_sealed, e);
}

static int store_kubeconfig(const struct import *i, const char *user_id, const char *text,
			    const struct kubeconfig *config, struct err *e)
{
	const struct cluster_new row = {
		.id = user_id,
		.user_id = user_id,
		.name = CLUSTER_DEFAULT,
		.server = config->server,
		.namespace = config->namespace,
		.account = config->user,
		.expires_at = config->expires_at,
	};

	return cluster_put(i->tx, &row, text, seal_for_reconciler, i, e);
}

/* A kubeconfig that is already stored is kept: it is newer. */
static int import_kubeconfig(struct import *i, const char *original_user_id, const char *text,
			     struct err *e)
{
	CLEANUP(kubeconfig_clear) struct kubeconfig config = { 0 };
	CLEANUP(cluster_rows_clear) struct cluster_rows there = { 0 };
	char user_id[STORE_ID_LENGTH + 1];
	struct err failure;

	import_id("User", original_user_id, user_id);
	if (cluster_get(i->tx, user_id, user_id, &there, &failure) == 0) {
		import_say(i, "kubeconfig", original_user_id, "there already", NULL);
		return 0;
	}
	if (failure.kind != ERR_NOT_FOUND) {
		*e = failure;
		return -1;
	}
	if (kubeconfig_parse(text, strlen(text), &config, &failure) < 0 ||
	    kubeconfig_check_address(&config, i->policy, &failure) < 0) {
		import_say(i, "kubeconfig", original_user_id, "refused", failure.message);
		return 0;
	}
	if (store_kubeconfig(i, user_id, text, &config, e) < 0)
		return -1;
	import_say(i, "kubeconfig", original_user_id, "imported", NULL);
	return 0;
}

/* ---- settings -------------------------------------------------------------------------------- */

static int import_one_setting(struct import *i, const json_t *row, struct err *e)
{
	const char *key = row_text(row, "key");
	const char *value = row_text(row, "value");
	CLEANUP(buf_release) struct buf sealed = BUF_INIT(SEALED_SETTING_MAX);
	char user_id[STORE_ID_LENGTH + 1];
	enum import_outcome outcome;
	struct err refused;

	if (strcmp(key, KUBECONFIG_KEY) == 0)
		return import_kubeconfig(i, row_text(row, "userId"), value, e);
	if (setting_key_check(key, &refused) < 0 || strlen(value) > SETTING_VALUE_MAX) {
		import_say(i, "setting", key, "refused", "not a setting's name, or too long");
		return 0;
	}
	import_id("User", row_text(row, "userId"), user_id);
	CLEANUP(cleanup_free) char *context = mem_printf(CONTEXT_SETTING, user_id, key);
	if (seal_own(i->owner_private, context, value, strlen(value), &sealed, e) < 0)
		return -1;
	const struct import_setting setting = { .user_id = user_id,
						.key = key,
						.value_sealed = sealed.data,
						.value_sealed_length = sealed.length };
	if (import_setting(i->tx, &setting, &outcome, e) < 0)
		return -1;
	import_say_outcome(i, "setting", key, outcome, NULL);
	return 0;
}

/* The Sealos login stored its kubeconfig with the identity. */
static int import_identity_kubeconfig(struct import *i, const json_t *row, struct err *e)
{
	const char *text = row_text(json_object_get(row, "metadata"), "sealosKubeconfig");

	return text[0] == '\0' ? 0 : import_kubeconfig(i, row_text(row, "userId"), text, e);
}

/* ---- all of it ------------------------------------------------------------------------------- */

int import_people(struct import *i, struct err *e)
{
	/* A kubeconfig in the settings takes precedence over one from a login. */
	static const struct {
		enum original_table table;
		int (*run)(struct import *i, const json_t *row, struct err *e);
	} steps[] = {
		{ ORIGINAL_USERS, import_one_user },
		{ ORIGINAL_IDENTITIES, import_one_identity },
		{ ORIGINAL_CONFIGS, import_one_setting },
		{ ORIGINAL_IDENTITIES, import_identity_kubeconfig },
	};

	for (size_t step = 0; step < ARRAY_SIZE(steps); step++) {
		size_t n;
		json_t *row;
		json_array_foreach(i->tables[steps[step].table], n, row)
		{
			if (steps[step].run(i, row, e) < 0)
				return -1;
		}
	}
	return 0;
}
