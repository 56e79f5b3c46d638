#include "reconcile/credentials.h"

#include <stdlib.h>
#include <string.h>

#include "base/json_at.h"
#include "base/cleanup.h"
#include "base/mem.h"
#include "base/parse.h"
#include "crypto/seal.h"
#include "crypto/token.h"
#include "manifest/manifest.h"
#include "store/contexts.h"

enum { VALUE_MAX = 1024, SEALED_MAX = 2048, UID_LENGTH_MAX = 128, PASSWORD_LENGTH = 24 };

/* The database that a new PostgreSQL cluster has, if its Secret names none. */
#define DATABASE_NAME "postgres"

/* From 1.0 on, the Secret has only the account: the rest follows from the Cluster's name. */
static bool is_account(const struct queue_row *row)
{
	return row->form == FORM_KUBEBLOCKS_1_0;
}

char *credentials_secret_name(const struct queue_row *row)
{
	return mem_printf("%s-%s", row->name,
			  is_account(row) ? "postgresql-account-postgres" : "conn-credential");
}

/* Returns a member of a Secret's data as text; NULL if it is missing or not text. The caller
 * frees. */
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

/* KubeBlocks gives the host without its namespace; the owner is shown a name that resolves
 * anywhere. */
static char *secret_host(const json_t *secret, const struct queue_row *row)
{
	CLEANUP(cleanup_free)
	char *host = is_account(row) ? mem_printf("%s-postgresql-postgresql", row->name)
				     : secret_text(secret, "host");

	return host != NULL ? manifest_database_host(host, row->namespace) : NULL;
}

static bool same(const char *a, const char *b)
{
	return a != NULL && b != NULL && strcmp(a, b) == 0;
}

/* The contents of a Secret, as text. */
struct said {
	char *host, *port, *database, *username, *password;
};

static void said_clear(struct said *s)
{
	free(s->host);
	free(s->port);
	free(s->database);
	free(s->username);
	if (s->password != NULL)
		explicit_bzero(s->password, strlen(s->password));
	free(s->password);
}

/* Returns false if it is incomplete. The caller calls said_clear() in either case. */
static bool said_read(const json_t *secret, const struct queue_row *row, struct said *ret_said)
{
	struct said s = {
		.host = secret_host(secret, row),
		.port = is_account(row) ? mem_strdup("5432") : secret_text(secret, "port"),
		.database = secret_text(secret, "database"),
		.username = secret_text(secret, "username"),
		.password = secret_text(secret, "password"),
	};

	if (s.database == NULL)
		s.database = mem_strdup(DATABASE_NAME);
	*ret_said = s;
	return s.host != NULL && s.port != NULL && s.username != NULL && s.password != NULL;
}

static const char *uid_of(const json_t *cluster)
{
	const char *uid = json_string_value(json_at(cluster, "metadata.uid"));

	return uid != NULL && strlen(uid) <= UID_LENGTH_MAX ? uid : NULL;
}

bool credentials_fit(const struct queue_row *row, const json_t *cluster)
{
	const char *uid = uid_of(cluster);

	return row->connection.host != NULL &&
	       (row->connection.cluster_uid == NULL || uid == NULL ||
		strcmp(row->connection.cluster_uid, uid) == 0);
}

bool credentials_are_dead(const struct queue_row *row, const json_t *cluster)
{
	return row->desired != DESIRED_GONE && row->connection.host != NULL &&
	       (cluster == NULL || !credentials_fit(row, cluster));
}

bool credentials_are_due(const struct queue_row *row, const json_t *cluster)
{
	bool checked = row->connection.host != NULL && row->connection.cluster_uid != NULL;

	return row->desired == DESIRED_RUNNING && cluster != NULL &&
	       (!checked || row->status == STATUS_RUNNING || row->verify);
}

/* A Secret may outlive its Cluster until it is garbage-collected; then its owner is that Cluster. A
 * Secret without an owner was created by a user, for whichever Cluster has the name. */
static bool is_left_behind(const json_t *secret, const json_t *cluster)
{
	const char *uid = uid_of(cluster);
	size_t i;
	json_t *owner;

	if (json_at(secret, "metadata.deletionTimestamp") != NULL)
		return true;
	json_array_foreach(json_at(secret, "metadata.ownerReferences"), i, owner)
	{
		if (strcmp(json_text_at(owner, "kind"), "Cluster") == 0 && uid != NULL &&
		    strcmp(json_text_at(owner, "uid"), uid) != 0)
			return true;
	}
	return false;
}

static bool is_known(const struct queue_row *row, const struct desired_context *context,
		     const char *secret_context, const struct said *s, int port, const char *uid)
{
	CLEANUP(buf_wipe) struct buf known = BUF_INIT(VALUE_MAX);

	return same(row->connection.host, s->host) && row->connection.port == port &&
	       same(row->connection.database, s->database) &&
	       same(row->connection.username, s->username) &&
	       (uid == NULL || same(row->connection.cluster_uid, uid)) &&
	       unseal_own(context->owner_private, secret_context, row->connection.password_sealed,
			  row->connection.password_sealed_length, &known, NULL) == 0 &&
	       same(known.data, s->password);
}

static struct queue_connection connection_of(const struct credentials *c)
{
	return (struct queue_connection) {
		.host = c->host,
		.port = c->port,
		.database = c->database,
		.username = c->username,
		.cluster_uid = c->cluster_uid,
		.password_sealed = c->password_sealed.data,
		.password_sealed_length = c->password_sealed.length,
	};
}

static void keep(struct credentials *c, struct said *s, int port, const char *uid)
{
	c->lost = false;
	c->host = STEAL(s->host);
	c->database = STEAL(s->database);
	c->username = STEAL(s->username);
	c->cluster_uid = uid != NULL ? mem_strdup(uid) : NULL;
	c->port = port;
}

int credentials_learn(struct credentials *c, const json_t *secret, const json_t *cluster,
		      struct queue_row *row, const struct desired_context *context, struct err *e)
{
	CLEANUP(said_clear) struct said s = { 0 };
	CLEANUP(cleanup_free) char *secret_context = mem_printf(CONTEXT_DATABASE, row->id);
	uint64_t port;

	if (is_left_behind(secret, cluster) || !said_read(secret, row, &s))
		return 0;
	if (!parse_u64(s.port, 1, 65535, &port))
		return err_set(e, ERR_KUBE_PROTOCOL, "CREDENTIALS",
			       "the credentials of database %s have no valid port", row->name);
	if (is_known(row, context, secret_context, &s, (int)port, uid_of(cluster)))
		return 0;
	c->password_sealed = BUF_INIT(SEALED_MAX);
	if (seal_own(context->owner_private, secret_context, s.password, strlen(s.password),
		     &c->password_sealed, e) < 0)
		return -1;
	keep(c, &s, (int)port, uid_of(cluster));
	row->connection = connection_of(c);
	return 0;
}

int credentials_make(struct credentials *c, const struct queue_row *row,
		     const struct desired_context *context, struct queue_connection *ret_connection,
		     struct err *e)
{
	CLEANUP(cleanup_free) char *secret_context = mem_printf(CONTEXT_DATABASE, row->id);
	char password[PASSWORD_LENGTH + 1];

	token_alphanumeric(password, PASSWORD_LENGTH);
	c->password_sealed = BUF_INIT(SEALED_MAX);
	int sealed = seal_own(context->owner_private, secret_context, password, PASSWORD_LENGTH,
			      &c->password_sealed, e);
	explicit_bzero(password, sizeof(password));
	if (sealed < 0)
		return -1;
	c->host = manifest_plain_host(row->name, row->namespace);
	c->port = 5432;
	c->database = mem_strdup(DATABASE_NAME);
	c->username = mem_strdup("postgres");
	*ret_connection = connection_of(c);
	return 0;
}

void credentials_forget(struct credentials *c, struct queue_row *row)
{
	c->lost = true;
	row->connection = (struct queue_connection) { 0 };
}

void credentials_to_result(const struct credentials *c, struct queue_result *result)
{
	result->disconnected = c->lost;
	if (c->host != NULL)
		result->connection = connection_of(c);
}

void credentials_clear(struct credentials *c)
{
	free(c->host);
	free(c->database);
	free(c->username);
	free(c->cluster_uid);
	buf_release(&c->password_sealed);
	*c = (struct credentials) { 0 };
}
