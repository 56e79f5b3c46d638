#include "reconcile/credentials.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/parse.h"
#include "crypto/seal.h"
#include "crypto/token.h"
#include "manifest/manifest.h"
#include "store/contexts.h"

enum { VALUE_MAX = 1024, SEALED_MAX = 2048 };

/* The database that a new PostgreSQL cluster has. */
#define DATABASE_NAME "postgres"

char *credentials_secret_name(const char *cluster_name)
{
	return mem_printf("%s-conn-credential", cluster_name);
}

/* A member of a Secret's data as text; NULL if it is missing or no text. The caller frees. */
static char *secret_text(const json_t *secret, const char *name)
{
	const char *encoded =
		json_string_value(json_object_get(json_object_get(secret, "data"), name));
	CLEANUP(buf_wipe) struct buf text = BUF_INIT(VALUE_MAX);

	if (encoded == NULL || !base64_decode(BASE64_STANDARD, encoded, strlen(encoded), &text) ||
	    text.length == 0 || !parse_is_utf8(text.data, text.length))
		return NULL;
	return mem_strdup(text.data);
}

/* KubeBlocks names it without its namespace; the owner gets to see it as it resolves anywhere. */
static char *secret_host(const json_t *secret, const char *namespace)
{
	CLEANUP(cleanup_free) char *host = secret_text(secret, "host");

	return host != NULL ? manifest_database_host(host, namespace) : NULL;
}

static bool same(const char *a, const char *b)
{
	return a != NULL && b != NULL && strcmp(a, b) == 0;
}

static bool is_known(const struct queue_row *row, const struct wanted_context *context,
		     const char *secret_context, const char *host, int port, const char *username,
		     const char *password)
{
	CLEANUP(buf_wipe) struct buf known = BUF_INIT(VALUE_MAX);

	return same(row->host, host) && row->port == port && same(row->username, username) &&
	       unseal(context->owner_private, secret_context, row->password_sealed,
		      row->password_sealed_length, &known, NULL) == 0 &&
	       same(known.data, password);
}

int credentials_learn(struct credentials *c, const json_t *secret, struct queue_row *row,
		      const struct wanted_context *context, struct err *e)
{
	CLEANUP(cleanup_free) char *host = secret_host(secret, row->namespace);
	CLEANUP(cleanup_free) char *port_text = secret_text(secret, "port");
	CLEANUP(cleanup_free) char *username = secret_text(secret, "username");
	CLEANUP(cleanup_free) char *password = secret_text(secret, "password");
	CLEANUP(cleanup_free) char *secret_context = mem_printf(CONTEXT_DATABASE, row->id);
	uint64_t port;

	if (host == NULL || port_text == NULL || username == NULL || password == NULL)
		return 0;
	if (!parse_u64(port_text, 1, 65535, &port))
		return err_set(e, ERR_KUBE_PROTOCOL, "CREDENTIALS",
			       "the credentials of database %s have no valid port", row->name);
	if (is_known(row, context, secret_context, host, (int)port, username, password))
		return 0;
	c->password_sealed = BUF_INIT(SEALED_MAX);
	if (seal(context->owner_public, secret_context, password, strlen(password),
		 &c->password_sealed, e) < 0)
		return -1;
	c->host = STEAL(host);
	c->username = STEAL(username);
	c->port = (int)port;
	row->host = c->host;
	row->port = c->port;
	row->username = c->username;
	row->database = DATABASE_NAME;
	row->password_sealed = c->password_sealed.data;
	row->password_sealed_length = c->password_sealed.length;
	return 0;
}

void credentials_to_result(const struct credentials *c, struct queue_result *result)
{
	if (c->host == NULL)
		return;
	result->host = c->host;
	result->port = c->port;
	result->database = DATABASE_NAME;
	result->username = c->username;
	result->password_sealed = c->password_sealed.data;
	result->password_sealed_length = c->password_sealed.length;
}

void credentials_clear(struct credentials *c)
{
	free(c->host);
	free(c->username);
	buf_release(&c->password_sealed);
	*c = (struct credentials) { 0 };
}
