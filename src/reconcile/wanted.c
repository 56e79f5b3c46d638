#include "reconcile/wanted.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/mem.h"
#include "crypto/token.h"
#include "base/parse.h"
#include "domain/project.h"
#include "store/contexts.h"

enum { OPERATOR_ENVIRONMENT_MAX = 1 << 20, SECRET_MAX = 1 << 20 };

static void cleanup_json(json_t **value)
{
	json_decref(*value);
}

/* ---- context ----------------------------------------------------------------------------------
 */

/* "NAME=value" lines; blank ones and '#' comments are skipped. */
static int read_environment_line(char *line, json_t *environment, struct err *e)
{
	char *equals = strchr(line, '=');

	if (line[0] == '\0' || line[0] == '#')
		return 0;
	if (equals == NULL)
		return err_set(e, ERR_INVALID, NULL, "not a line of NAME=value");
	*equals = '\0';
	if (environment_key_check(line, e) < 0)
		return -1;
	if (json_object_set_new(environment, line, json_string(equals + 1)) < 0)
		return err_set(e, ERR_INVALID, NULL, "%s: the value is not UTF-8", line);
	return 0;
}

static int read_environment(const char *file, json_t **ret_environment, struct err *e)
{
	CLEANUP(buf_wipe) struct buf content = BUF_INIT(OPERATOR_ENVIRONMENT_MAX);
	CLEANUP(cleanup_json) json_t *environment = json_object();
	char *rest = NULL;
	unsigned number = 0;

	if (file != NULL && buf_read_file(&content, file, e) < 0)
		return -1;
	rest = content.data;
	while (rest != NULL) {
		char *line = strsep(&rest, "\n");
		number++;
		if (read_environment_line(line, environment, e) < 0)
			return err_wrap(e, "%s:%u", file, number);
	}
	*ret_environment = STEAL(environment);
	return 0;
}

int wanted_context_load(const struct conf *conf, struct wanted_context *ret_context, struct err *e)
{
	struct wanted_context c = { 0 };

	if (conf_require(conf, CONF_INGRESS_DOMAIN, &c.settings.ingress_domain, e) < 0)
		return -1;
	c.settings.ingress_class = conf_string(conf, CONF_INGRESS_CLASS);
	c.settings.ingress_tls_secret = conf_string(conf, CONF_INGRESS_TLS_SECRET);
	c.settings.storage_class = conf_string(conf, CONF_STORAGE_CLASS);
	c.settings.image_pull_secret = conf_string(conf, CONF_IMAGE_PULL_SECRET);
	c.settings.kubeblocks_version = conf_string(conf, CONF_KUBEBLOCKS_VERSION);
	c.settings.dns_pods = conf_string(conf, CONF_DNS_PODS);
	c.settings.dns_networks = conf_string(conf, CONF_DNS_NETWORKS);
	c.settings.api_server_networks = conf_string(conf, CONF_API_SERVER_NETWORKS);
	c.settings.backup_pods = conf_string(conf, CONF_BACKUP_PODS);
	c.settings.backup_networks = conf_string(conf, CONF_BACKUP_NETWORKS);
	c.settings.databases_open = !conf_bool(conf, CONF_DATABASE_NETWORK_POLICY);
	manifest_settings_seal(&c.settings);
	if (keyring_load_private(conf_string(conf, CONF_OWNER_PRIVATE_KEY_FILE), &c.owner_private,
				 e) < 0 ||
	    read_environment(conf_string(conf, CONF_OPERATOR_ENV_FILE), &c.operator_environment,
			     e) < 0) {
		wanted_context_clear(&c);
		return -1;
	}
	*ret_context = c;
	return 0;
}

void wanted_context_clear(struct wanted_context *context)
{
	keyring_freep(&context->owner_private);
	json_decref(context->operator_environment);
	*context = (struct wanted_context) { 0 };
}

/* ---- environment ------------------------------------------------------------------------------
 */

static int open_secret(const struct wanted_context *context, const char *secret_context,
		       const void *sealed, size_t length, struct buf *ret_plain, struct err *e)
{
	*ret_plain = BUF_INIT(SECRET_MAX);
	if (unseal_own(context->owner_private, secret_context, sealed, length, ret_plain, e) < 0) {
		e->kind = ERR_INTERNAL;
		return err_wrap(e, "the stored secret \"%s\" cannot be opened", secret_context);
	}
	return buf_append(ret_plain, "", 0, e);
}

static int set_secret(const struct wanted_context *context, json_t *environment, const char *name,
		      const char *secret_context, const void *sealed, size_t length, struct err *e)
{
	CLEANUP(buf_wipe) struct buf plain = BUF_INIT(0);

	if (open_secret(context, secret_context, sealed, length, &plain, e) < 0)
		return -1;
	if (json_object_set_new(environment, name, json_stringn(plain.data, plain.length)) < 0)
		return err_set(e, ERR_INTERNAL, NULL, "variable %s is not UTF-8", name);
	return 0;
}

/* Where those of a project begin: they are sorted by it, and a batch has those of many. */
static size_t first_variable(const struct queue_variables *variables, const char *project_id)
{
	size_t low = 0, high = variables->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (strcmp(variables->items[middle].project_id, project_id) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int add_project_variables(const struct wanted_context *context, const struct queue_row *row,
				 const struct queue_variables *variables, json_t *environment,
				 struct err *e)
{
	for (size_t i = first_variable(variables, row->project_id); i < variables->count; i++) {
		const struct queue_variable *v = &variables->items[i];
		if (strcmp(v->project_id, row->project_id) != 0)
			break;
		CLEANUP(cleanup_free)
		char *secret_context = mem_printf(CONTEXT_ENVIRONMENT, v->project_id, v->key);
		if (set_secret(context, environment, v->key, secret_context, v->value_sealed,
			       v->value_sealed_length, e) < 0)
			return -1;
	}
	return 0;
}

static int add_request_variables(const struct wanted_context *context, const struct queue_row *row,
				 json_t *environment, struct err *e)
{
	CLEANUP(buf_wipe) struct buf plain = BUF_INIT(0);
	CLEANUP(cleanup_json) json_t *requested = NULL;
	CLEANUP(cleanup_free) char *secret_context = mem_printf(CONTEXT_REQUEST_ENV, row->id);

	if (row->request_env_sealed == NULL)
		return 0;
	if (open_secret(context, secret_context, row->request_env_sealed,
			row->request_env_sealed_length, &plain, e) < 0)
		return -1;
	requested = json_loadb(plain.data, plain.length, 0, NULL);
	if (!json_is_object(requested))
		return err_set(e, ERR_INTERNAL, NULL, "the request's variables are not an object");
	json_object_update(environment, requested);
	return 0;
}

static int add_database_url(const struct wanted_context *context, const struct queue_row *row,
			    json_t *environment, struct err *e)
{
	CLEANUP(buf_wipe) struct buf password = BUF_INIT(0);
	CLEANUP(cleanup_free) char *url = NULL;
	CLEANUP(cleanup_free) char *secret_context = NULL;

	if (row->database_name == NULL || row->connection.host == NULL)
		return 0;
	secret_context = mem_printf(CONTEXT_DATABASE, row->database_id);
	if (open_secret(context, secret_context, row->connection.password_sealed,
			row->connection.password_sealed_length, &password, e) < 0)
		return -1;
	url = manifest_database_url(row->connection.username, password.data, row->connection.host,
				    (unsigned)row->connection.port, row->connection.database,
				    row->namespace);
	json_object_set_new(environment, "DATABASE_URL", json_string(url));
	return 0;
}

static int add_terminal_token(const struct wanted_context *context, const struct queue_row *row,
			      json_t *environment, struct err *e)
{
	CLEANUP(cleanup_free) char *terminal_context = mem_printf(CONTEXT_TERMINAL, row->id);
	CLEANUP(buf_wipe) struct buf secret = BUF_INIT(0);
	char token[TERMINAL_TOKEN_LENGTH + 1];

	if (open_secret(context, terminal_context, row->terminal_token_sealed,
			row->terminal_token_sealed_length, &secret, e) < 0)
		return -1;
	if (!token_of_terminal(secret.data, secret.length, row->access_generation, token))
		return err_set(e, ERR_INTERNAL, NULL, "the terminal's secret is none of ours");
	json_object_set_new(environment, "TTYD_ACCESS_TOKEN", json_string(token));
	explicit_bzero(token, sizeof(token));
	return 0;
}

/* Later wins. */
static int merge_environment(const struct wanted_context *context, const struct queue_row *row,
			     const struct queue_variables *variables, json_t *environment,
			     struct err *e)
{
	json_object_update(environment, context->operator_environment);
	if (add_project_variables(context, row, variables, environment, e) < 0 ||
	    add_request_variables(context, row, environment, e) < 0 ||
	    add_database_url(context, row, environment, e) < 0)
		return -1;
	json_object_set_new(environment, "NODE_ENV", json_string("development"));
	json_object_set_new(environment, "PROJECT_NAME", json_string(row->project_kube_name));
	json_object_set_new(environment, "TTYD_PORT", json_string("7681"));
	return add_terminal_token(context, row, environment, e);
}

/* ---- objects ----------------------------------------------------------------------------------
 */

static struct manifest_resources resources_of(const struct queue_row *row)
{
	return (struct manifest_resources) {
		.cpu_request = row->cpu_request,
		.cpu_limit = row->cpu_limit,
		.memory_request = row->memory_request,
		.memory_limit = row->memory_limit,
		.storage_limit = row->storage_limit,
	};
}

static struct manifest_database database_of(const struct queue_row *row)
{
	return (struct manifest_database) {
		.resource_id = row->id,
		.name = row->name,
		.project_name = row->project_kube_name,
		.namespace = row->namespace,
		.version = row->version,
		.storage_size = row->storage_size,
		.resources = resources_of(row),
		.stopped = row->desired == DESIRED_STOPPED,
	};
}

/* A sandbox, and what its strings are borrowed from beside the row. */
struct sandbox {
	struct manifest_sandbox made_of;
	json_t *environment;
	struct manifest_variable *variables;
	char restarted[24];
};

static void sandbox_clear(struct sandbox *s)
{
	json_decref(s->environment);
	free(s->variables);
}

static void list_variables(struct sandbox *s)
{
	const char *name;
	json_t *value;

	s->variables = mem_calloc(json_object_size(s->environment), sizeof(*s->variables));
	s->made_of.variables = s->variables;
	json_object_foreach(s->environment, name, value)
	{
		s->variables[s->made_of.variable_count++] =
			(struct manifest_variable) { name, json_string_value(value) };
	}
}

/* For sandbox_clear() whether it fails or not. */
static int sandbox_load(const struct wanted_context *context, const struct queue_row *row,
			const struct queue_variables *variables, struct sandbox *ret_sandbox,
			struct err *e)
{
	struct sandbox *s = ret_sandbox;

	s->made_of = (struct manifest_sandbox) {
		.resource_id = row->id,
		.name = row->name,
		.project_name = row->project_kube_name,
		.database_name = row->database_name,
		.namespace = row->namespace,
		.image = row->image,
		.app_host = row->app_host,
		.ttyd_host = row->ttyd_host,
		.home_size = row->home_size,
		.restarted = s->restarted,
		.resources = resources_of(row),
		.stopped = row->desired == DESIRED_STOPPED,
	};
	if (row->restarts > 0)
		(void)snprintf(s->restarted, sizeof(s->restarted), "%lld",
			       (long long)row->restarts);
	s->environment = json_object();
	if (merge_environment(context, row, variables, s->environment, e) < 0)
		return -1;
	list_variables(s);
	return 0;
}

static json_t *array_of(json_t *object)
{
	return json_pack("[o]", object);
}

int wanted_objects(const struct wanted_context *context, const struct queue_row *row,
		   const struct queue_variables *variables, const char *vouched,
		   json_t **ret_objects, struct err *e)
{
	const struct manifest_settings *settings = &context->settings;
	CLEANUP(sandbox_clear) struct sandbox s = { 0 };
	char hash[MANIFEST_HASH_SIZE];

	if (row->kind == RESOURCE_DATABASE) {
		const struct manifest_database d = database_of(row);
		manifest_database_hash(&d, settings, hash);
		*ret_objects = strcmp(hash, vouched) == 0 ? array_of(manifest_cluster(&d, settings))
							  : manifest_database_objects(&d, settings);
		return 0;
	}
	if (sandbox_load(context, row, variables, &s, e) < 0)
		return -1;
	manifest_sandbox_hash(&s.made_of, settings, hash);
	*ret_objects = strcmp(hash, vouched) == 0
			       ? array_of(manifest_stateful_set(&s.made_of, settings))
			       : manifest_sandbox_objects(&s.made_of, settings);
	return 0;
}

int wanted_hash(const struct wanted_context *context, const struct queue_row *row,
		const struct queue_variables *variables, char ret_hash[MANIFEST_HASH_SIZE],
		struct err *e)
{
	CLEANUP(sandbox_clear) struct sandbox s = { 0 };

	if (row->kind == RESOURCE_DATABASE) {
		const struct manifest_database d = database_of(row);
		manifest_database_hash(&d, &context->settings, ret_hash);
		return 0;
	}
	if (sandbox_load(context, row, variables, &s, e) < 0)
		return -1;
	manifest_sandbox_hash(&s.made_of, &context->settings, ret_hash);
	return 0;
}
