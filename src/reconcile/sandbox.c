/* The kind of resource that people work in: a StatefulSet of one pod with a volume, reached through
 * a Service and two Ingresses. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json_at.h"
#include "base/mem.h"
#include "crypto/token.h"
#include "domain/user.h"
#include "reconcile/kind.h"
#include "reconcile/live.h"
#include "reconcile/stateful.h"
#include "store/contexts.h"
#include "store/port.h"

/* ---- the environment ------------------------------------------------------------------------- */

static int set_secret(const struct desired_context *context, json_t *environment, const char *name,
		      const char *secret_context, const void *sealed, size_t length, struct err *e)
{
	CLEANUP(buf_wipe) struct buf plain = BUF_INIT(0);

	if (desired_open_secret(context, secret_context, sealed, length, &plain, e) < 0)
		return -1;
	if (json_object_set_new(environment, name, json_stringn(plain.data, plain.length)) < 0)
		return err_set(e, ERR_INTERNAL, NULL, "variable %s is not UTF-8", name);
	return 0;
}

/* Finds the first variable of a project: they are sorted by project, and a batch has those of
 * many. */
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

static int add_variable(const struct desired_context *context, const struct queue_row *row,
			const struct queue_variable *v, json_t *into, struct err *e)
{
	const char *name = v->is_setting ? setting_variable(v->key) : v->key;
	CLEANUP(cleanup_free)
	char *secret_context = v->is_setting
				       ? mem_printf(CONTEXT_SETTING, row->user_id, v->key)
				       : mem_printf(CONTEXT_ENVIRONMENT, v->project_id, v->key);

	if (v->value == NULL)
		return set_secret(context, into, name, secret_context, v->value_sealed,
				  v->value_sealed_length, e);
	json_object_set_new(into, name, json_string(v->value));
	return 0;
}

/* Reads the variables of one project, or its owner's settings. */
static int read_variables(const struct desired_context *context, const struct queue_row *row,
			  const struct queue_variables *variables, bool settings, json_t *into,
			  struct err *e)
{
	for (size_t i = first_variable(variables, row->project_id); i < variables->count; i++) {
		const struct queue_variable *v = &variables->items[i];
		if (strcmp(v->project_id, row->project_id) != 0)
			break;
		if (v->is_setting == settings && add_variable(context, row, v, into, e) < 0)
			return -1;
	}
	return 0;
}

/* A user with their own credential gets no related settings of the operator: neither a second
 * credential, nor the address that it belongs to. */
static int add_settings(const struct desired_context *context, const struct queue_row *row,
			const struct queue_variables *variables, json_t *environment, struct err *e)
{
	static const char *const operators[] = { "ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN",
						 "ANTHROPIC_BASE_URL" };
	json_auto_t *settings = json_object();
	bool own = false;
	const char *name;
	json_t *value;

	if (read_variables(context, row, variables, true, settings, e) < 0)
		return -1;
	json_object_foreach(settings, name, value) own |= setting_is_credential(name);
	for (size_t i = 0; own && i < ARRAY_SIZE(operators); i++)
		json_object_del(environment, operators[i]);
	json_object_update(environment, settings);
	return 0;
}

static int add_request_variables(const struct desired_context *context, const struct queue_row *row,
				 json_t *environment, struct err *e)
{
	CLEANUP(buf_wipe) struct buf plain = BUF_INIT(0);
	json_auto_t *requested = NULL;
	CLEANUP(cleanup_free) char *secret_context = mem_printf(CONTEXT_REQUEST_ENV, row->id);

	if (row->request_env_sealed == NULL)
		return 0;
	if (desired_open_secret(context, secret_context, row->request_env_sealed,
				row->request_env_sealed_length, &plain, e) < 0)
		return -1;
	requested = json_loadb(plain.data, plain.length, 0, NULL);
	if (!json_is_object(requested))
		return err_set(e, ERR_INTERNAL, NULL, "the request's variables are not an object");
	json_object_update(environment, requested);
	return 0;
}

static int add_database_url(const struct desired_context *context, const struct queue_row *row,
			    json_t *environment, struct err *e)
{
	CLEANUP(buf_wipe) struct buf password = BUF_INIT(0);
	CLEANUP(cleanup_free) char *url = NULL;
	CLEANUP(cleanup_free) char *secret_context = NULL;

	if (row->database_name == NULL || row->connection.host == NULL)
		return 0;
	secret_context = mem_printf(CONTEXT_DATABASE, row->database_id);
	if (desired_open_secret(context, secret_context, row->connection.password_sealed,
				row->connection.password_sealed_length, &password, e) < 0)
		return -1;
	url = manifest_database_url(row->connection.username, password.data, row->connection.host,
				    (unsigned)row->connection.port, row->connection.database,
				    row->namespace);
	json_object_set_new(environment, "DATABASE_URL", json_string(url));
	return 0;
}

static int terminal_token(const struct desired_context *context, const struct queue_row *row,
			  char ret_token[TERMINAL_TOKEN_LENGTH + 1], struct err *e)
{
	CLEANUP(cleanup_free) char *terminal_context = mem_printf(CONTEXT_TERMINAL, row->id);
	CLEANUP(buf_wipe) struct buf secret = BUF_INIT(0);

	if (desired_open_secret(context, terminal_context, row->terminal_token_sealed,
				row->terminal_token_sealed_length, &secret, e) < 0)
		return -1;
	if (!token_of_terminal(secret.data, secret.length, row->access_generation, ret_token))
		return err_set(e, ERR_INTERNAL, NULL, "the terminal's secret is none of ours");
	return 0;
}

static int add_terminal_token(const struct desired_context *context, const struct queue_row *row,
			      json_t *environment, struct err *e)
{
	char token[TERMINAL_TOKEN_LENGTH + 1];

	if (terminal_token(context, row, token, e) < 0)
		return -1;
	json_object_set_new(environment, "TTYD_ACCESS_TOKEN", json_string(token));
	explicit_bzero(token, sizeof(token));
	return 0;
}

/* Later values replace earlier ones. */
static int merge_environment(const struct desired_context *context, const struct queue_row *row,
			     const struct queue_variables *variables, json_t *environment,
			     struct err *e)
{
	json_object_update(environment, context->operator_environment);
	if (add_settings(context, row, variables, environment, e) < 0 ||
	    read_variables(context, row, variables, false, environment, e) < 0 ||
	    add_request_variables(context, row, environment, e) < 0 ||
	    add_database_url(context, row, environment, e) < 0)
		return -1;
	json_object_set_new(environment, "NODE_ENV", json_string("development"));
	json_object_set_new(environment, "PROJECT_NAME", json_string(row->project_kube_name));
	json_object_set_new(environment, "TTYD_PORT", json_string("7681"));
	json_object_set_new(environment, MANIFEST_VARIABLE_SITE, json_string(context->site));
	return add_terminal_token(context, row, environment, e);
}

/* ---- desired state --------------------------------------------------------------------------- */

/* The inputs of its manifests, and the memory of their strings that do not belong to the row. */
struct inputs {
	struct manifest_sandbox sandbox;
	json_t *environment;
	struct manifest_variable *variables;
	struct manifest_port *ports;
	char restarted[24];
};

static void free_inputs(void *inputs)
{
	struct inputs *i = inputs;

	json_decref(i->environment);
	free(i->variables);
	free(i->ports);
	free(i);
}

static void list_variables(struct inputs *i)
{
	const char *name;
	json_t *value;

	i->variables = mem_calloc(json_object_size(i->environment), sizeof(*i->variables));
	i->sandbox.variables = i->variables;
	json_object_foreach(i->environment, name, value)
	{
		i->variables[i->sandbox.variable_count++] =
			(struct manifest_variable) { name, json_string_value(value) };
	}
}

static void list_ports(struct inputs *i, const char *rows)
{
	json_auto_t *ports = rows != NULL ? json_loads(rows, 0, NULL) : NULL;
	const json_t *port;
	size_t at;

	i->ports = mem_calloc(json_array_size(ports), sizeof(*i->ports));
	i->sandbox.ports = i->ports;
	json_array_foreach(ports, at, port)
	{
		i->ports[i->sandbox.port_count++] = (struct manifest_port) {
			.number = (int)json_number_at(port, "port"),
			.guarded = strcmp(json_text_at(port, "access"), PORT_ACCESS_PUBLIC) != 0,
		};
	}
}

static void *make_inputs(const struct desired_context *context, const struct queue_row *row,
			 const struct queue_variables *variables, struct err *e)
{
	struct inputs *i = mem_calloc(1, sizeof(*i));

	i->sandbox = (struct manifest_sandbox) {
		.resource_id = row->id,
		.name = row->name,
		.project_name = row->project_kube_name,
		.database_name = row->database_name,
		.namespace = row->namespace,
		.image = row->image,
		.tools_image = row->tools_image,
		.run_as = row->run_as,
		.app_host = row->app_host,
		.ttyd_host = row->ttyd_host,
		.ingress_class = row->ingress_class,
		.storage_class = row->storage_class,
		.home_size = row->home_size,
		.restarted = i->restarted,
		.resources = desired_resources(row),
		.stopped = row->desired == DESIRED_STOPPED,
	};
	if (row->restarts > 0)
		(void)snprintf(i->restarted, sizeof(i->restarted), "%lld",
			       (long long)row->restarts);
	i->environment = json_object();
	if (merge_environment(context, row, variables, i->environment, e) < 0) {
		free_inputs(i);
		return NULL;
	}
	list_variables(i);
	list_ports(i, row->ports);
	return i;
}

static void hash(const void *inputs, const struct manifest_settings *settings,
		 char ret_hash[MANIFEST_HASH_SIZE])
{
	const struct inputs *i = inputs;

	manifest_sandbox_hash(&i->sandbox, settings, ret_hash);
}

static json_t *companions(const void *inputs, const struct manifest_settings *settings)
{
	const struct inputs *i = inputs;

	return manifest_sandbox_companions(&i->sandbox, settings);
}

static json_t *anchor(const void *inputs, const struct manifest_settings *settings,
		      const char *hash_of_all)
{
	const struct inputs *i = inputs;

	return manifest_stateful_set(&i->sandbox, settings, hash_of_all);
}

/* ---- assessing ------------------------------------------------------------------------------- */

static bool lacks_dependency(const struct queue_row *row)
{
	return row->database_name != NULL && row->connection.host == NULL;
}

/* A database in ERROR is not waited for: the sandbox is useful without it. */
static bool awaits_dependency(const struct queue_row *row)
{
	bool on_its_way =
		row->database_status != STATUS_RUNNING && row->database_status != STATUS_ERROR;

	return lacks_dependency(row) || (row->database_name != NULL && on_its_way);
}

static enum stage stage_of(const struct queue_row *row, const json_t *pod)
{
	if (awaits_dependency(row))
		return STAGE_DATABASE;
	if (pod == NULL || !live_pod_runs(pod))
		return STAGE_CONTAINER;
	if (json_text_at(pod, "status.podIP")[0] == '\0')
		return STAGE_NETWORK;
	return live_pod_has(pod, "Ready") ? STAGE_READY : STAGE_TERMINAL;
}

static void assess_sandbox(const struct view *v, const char *desired_hash, struct assessment *a)
{
	a->stage = stage_of(v->row,
			    live_current(observation_of(v->observation, KUBE_PODS, v->row->id)));
	stateful_assess(v, desired_hash, a);
}

/* The objects contain all information. */
static bool prepare(struct work *work)
{
	(void)work;
	return false;
}

/* ---- the row --------------------------------------------------------------------------------- */

static void describe_absence(const struct view *v, char ret_words[STANDSTILL_MAX])
{
	if (v->observation == NULL) /* it waits for its database and was not observed */
		(void)snprintf(ret_words, STANDSTILL_MAX, "database %.80s is not ready",
			       v->row->database_name != NULL ? v->row->database_name : "");
	else
		(void)snprintf(ret_words, STANDSTILL_MAX, "statefulset %.80s has no pod",
			       v->row->name);
}

static const enum kube_resource objects[] = {
	KUBE_SECRETS,                          /* the environment */
	KUBE_SERVICES,         KUBE_INGRESSES, /* of the app and of the terminal */
	KUBE_NETWORK_POLICIES, KUBE_STATEFULSETS,
};

static const struct judge judges[] = {
	{ WARNING_HOME_VOLUME_GOING, OBSERVE(KUBE_PERSISTENT_VOLUME_CLAIMS), warn_volume_going },
	{ WARNING_HOME_VOLUME_GONE, OBSERVE(KUBE_PERSISTENT_VOLUME_CLAIMS), warn_volume_gone },
	{ WARNING_HOME_VOLUME_REPLACED, OBSERVE(KUBE_PERSISTENT_VOLUME_CLAIMS),
	  warn_volume_replaced },
	{ WARNING_RESTARTED, OBSERVE(KUBE_PODS), warn_restarted },
};

#define ROLLOUT                                                                                    \
	(OBSERVE(KUBE_STATEFULSETS) | OBSERVE(KUBE_PODS) | OBSERVE(KUBE_PERSISTENT_VOLUME_CLAIMS))

const struct kind kind_sandbox = {
	.objects = objects,
	.object_count = ARRAY_SIZE(objects),
	.dependents = OBSERVE(KUBE_PODS) | OBSERVE(KUBE_PERSISTENT_VOLUME_CLAIMS),
	.creation = OBSERVE(KUBE_STATEFULSETS),
	.rollout = ROLLOUT,
	.claims = OBSERVE(KUBE_PERSISTENT_VOLUME_CLAIMS),
	.volume_going = WARNING_HOME_VOLUME_GOING,
	.volume_gone = WARNING_HOME_VOLUME_GONE,

	.has_environment = true,
	.make_inputs = make_inputs,
	.free_inputs = free_inputs,
	.hash = hash,
	.companions = companions,
	.anchor = anchor,

	.assess = assess_sandbox,
	.lacks_dependency = lacks_dependency,
	.awaits_dependency = awaits_dependency,
	.would_end_pod = stateful_would_end_pod,
	.prepare = prepare,
	.terminal_token = terminal_token,
	.judges = judges,
	.judge_count = ARRAY_SIZE(judges),

	.shown = KUBE_PODS,
	.describe_absence = describe_absence,
	.evidence = OBSERVE(KUBE_PERSISTENT_VOLUME_CLAIMS),
};
