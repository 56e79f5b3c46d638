#include "render.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "base/cleanup.h"
#include "base/conf.h"
#include "base/mem.h"
#include "crypto/token.h"
#include "domain/cause.h"
#include "domain/project.h"
#include "manifest/manifest.h"
#include "store/contexts.h"
#include "store/warnings.h"
#include "web/json.h"
#include "web/members.h"
#include "web/query.h"

enum { SECRET_MAX = ENVIRONMENT_VALUE_MAX };

static json_t *member_status(const void *field)
{
	return json_string(status_name(*(const enum status *)field));
}

static json_t *member_desired(const void *field)
{
	return json_string(desired_name(*(const enum desired *)field));
}

static json_t *member_stage(const void *field)
{
	return json_string(stage_name(*(const enum stage *)field));
}

static json_t *member_unsigned(const void *field)
{
	return json_integer(*(const unsigned *)field);
}

/* The columns that have a JSON name in store/column.h. Sealed values are never in JSON. */
#define SHOWN_TEXT     member_text
#define SHOWN_INT      member_int64
#define SHOWN_UNSIGNED member_unsigned
#define SHOWN_DESIRED  member_desired
#define SHOWN_STATUS   member_status
#define SHOWN_STAGE    member_stage
#define SHOWN_BYTES    NULL
/* clang-format off */
#define SHOWN(of, type, member, sql, json) { json, offsetof(of, member), SHOWN_##type },

static const struct member project_members[] = {
	PROJECT_COLUMNS(SHOWN, struct project)
	MEMBERS_END,
};
static const struct member resource_members[] = {
	RESOURCE_COLUMNS(SHOWN, struct resource)
	RESOURCE_OWNER_COLUMNS(SHOWN, struct resource)
	SIZE_COLUMNS(SHOWN, struct resource, NO_SQL)
	MEMBERS_END,
};
static const struct member sandbox_members[] = {
	SANDBOX_COLUMNS(SHOWN, struct sandbox)
	SANDBOX_OWNER_COLUMNS(SHOWN, struct sandbox)
	{ "sandboxName", offsetof(struct sandbox, resource.name), member_text },
	{ "stage", offsetof(struct sandbox, resource.stage), member_stage },
	MEMBERS_END,
};
static const struct member database_members[] = {
	DATABASE_COLUMNS(SHOWN, struct database)
	CONNECTION_COLUMNS(SHOWN, struct database)
	{ "databaseName", offsetof(struct database, resource.name), member_text },
	MEMBERS_END,
};
/* clang-format on */

#define PROJECT(member) offsetof(struct project, member)
static const struct member request_members[] = {
	{ "id", PROJECT(id), member_text },
	{ "status", PROJECT(status), member_status },
	{ "updatedAt", PROJECT(updated_at), member_text },
	{ "trashUntil", PROJECT(trash_until), member_text },
	MEMBERS_END,
};

#define RESOURCE(member) offsetof(struct resource, member)
static const struct member cause_members[] = {
	{ "kind", RESOURCE(cause_kind), member_text },
	{ "code", RESOURCE(cause_code), member_text },
	{ "since", RESOURCE(cause_since), member_text },
	{ "attempts", RESOURCE(attempts), member_unsigned },
	{ "nextAttemptAt", RESOURCE(next_attempt_at), member_text },
	MEMBERS_END,
};

#define VARIABLE(member) offsetof(struct variable, member)
static const struct member variable_members[] = {
	{ "id", VARIABLE(id), member_text },
	{ "projectId", VARIABLE(project_id), member_text },
	{ "key", VARIABLE(key), member_text },
	{ "category", VARIABLE(category), member_text },
	{ "isSecret", VARIABLE(is_secret), member_bool },
	{ "createdAt", VARIABLE(created_at), member_text },
	{ "updatedAt", VARIABLE(updated_at), member_text },
	MEMBERS_END,
};

static void set_text(json_t *object, const char *name, const char *text)
{
	json_object_set_new(object, name, member_text(&text));
}

static bool shows_secrets(const struct call *c, enum render how)
{
	return how == RENDER_DETAILED && !c->session->read_only && c->role == PROJECT_OWNER;
}

/* With the terminal's token one may do anything in the sandbox. */
static bool shows_terminal(const struct call *c, enum render how)
{
	return how == RENDER_DETAILED && !c->session->read_only && c->role <= PROJECT_EDITOR;
}

json_t *render_project(const struct project *p)
{
	json_t *json = members_object(project_members, p);

	json_object_set_new(json, "idleMinutes",
			    p->idle_minutes != NULL
				    ? json_integer(strtoll(p->idle_minutes, NULL, 10))
				    : json_null());
	json_object_set_new(json, "warnings", warnings_json(p->warnings));
	return json;
}

json_t *render_request(const char *message, const struct project *p)
{
	return json_pack("{s:s, s:o}", "message", message, "project",
			 members_object(request_members, p));
}

/* Why it is not as desired, in the user's words and the cluster's; null if no cause is known. */
static json_t *render_cause(const struct resource *r)
{
	const struct cause_text *text = cause_text_of(r->cause_kind, r->cause_code);

	if (r->cause_kind == NULL)
		return json_null();
	json_t *json = members_object(cause_members, r);
	set_text(json, "headline", text ? text->headline : NULL);
	set_text(json, "action", text ? text->action : NULL);
	const char *message = cause_message(r->cause_kind, r->cause_message);
	set_text(json, "message", message);
	set_text(json, "detail", message ? cause_detail(message) : NULL);
	return json;
}

static json_t *render_resource(const struct resource *r)
{
	json_t *json = members_object(resource_members, r);

	json_object_set_new(json, "cause", render_cause(r));
	json_object_set_new(json, "warnings", warnings_json(r->warnings));
	return json;
}

/* The URL of one of the ingress controller's hosts, for browsers. */
char *render_public_url(const struct call *c, const char *host)
{
	const char *scheme = conf_string(api_conf(c), CONF_INGRESS_SCHEME);
	uint64_t port = conf_number(api_conf(c), CONF_INGRESS_PORT);

	return port == 0 ? mem_printf("%s://%s", scheme, host)
			 : mem_printf("%s://%s:%" PRIu64, scheme, host, port);
}

int render_terminal_token(const struct call *c, const struct sandbox *s,
			  char ret_token[TERMINAL_TOKEN_LENGTH + 1], struct err *e)
{
	CLEANUP(cleanup_free) char *context = mem_printf(CONTEXT_TERMINAL, s->resource.id);
	CLEANUP(buf_wipe) struct buf secret = BUF_INIT(SECRET_MAX);

	if (api_unseal(c, context, s->terminal_token_sealed, s->terminal_token_sealed_length,
		       &secret, e) < 0)
		return -1;
	if (!token_of_terminal(secret.data, secret.length, s->access_generation, ret_token))
		return err_set(e, ERR_INTERNAL, NULL, "the terminal's secret is none of ours");
	return 0;
}

/* The terminal's `authorization`, which replaces a password prompt: base64 of "user:token",
 * escaped. */
static int terminal_url(const struct call *c, const struct sandbox *s, char **ret_url,
			struct err *e)
{
	char token[TERMINAL_TOKEN_LENGTH + 1];

	if (render_terminal_token(c, s, token, e) < 0)
		return -1;
	CLEANUP(cleanup_free) char *credential = mem_printf("user:%s", token);
	CLEANUP(cleanup_free) char *encoded = base64_encode(credential, strlen(credential));
	CLEANUP(cleanup_free) char *escaped = query_escape(encoded);
	CLEANUP(cleanup_free) char *url = render_public_url(c, s->ttyd_host);
	*ret_url = mem_printf("%s?authorization=%s", url, escaped);
	return 0;
}

json_t *render_ports(const struct call *c, const struct sandbox *s)
{
	json_t *ports = s->ports != NULL ? json_loads(s->ports, 0, NULL) : json_array();
	json_t *port;
	size_t i;

	json_array_foreach(ports, i, port)
	{
		int number = (int)json_integer_value(json_object_get(port, "port"));
		CLEANUP(cleanup_free) char *host = manifest_port_host(s->app_host, number);
		CLEANUP(cleanup_free) char *url = render_public_url(c, host);
		set_text(port, "url", url);
	}
	return ports;
}

int render_sandbox(const struct call *c, const struct sandbox *s, enum render how,
		   json_t **ret_json, struct err *e)
{
	CLEANUP(cleanup_free) char *app = render_public_url(c, s->app_host);
	CLEANUP(cleanup_free) char *terminal = NULL;

	if (!shows_terminal(c, how))
		terminal = render_public_url(c, s->ttyd_host);
	else if (terminal_url(c, s, &terminal, e) < 0)
		return -1;
	json_t *json = render_resource(&s->resource);
	members_add(json, sandbox_members, s);
	set_text(json, "publicUrl", app);
	set_text(json, "ttydUrl", terminal);
	set_text(json, "fileBrowserUrl", NULL);
	json_object_set_new(json, "ports", render_ports(c, s));
	*ret_json = json;
	return 0;
}

json_t *render_progress(const struct sandbox_view *view)
{
	const struct resource *r = &view->sandbox.resource;
	enum status database = view->has_database ? view->database_status : STATUS_RUNNING;
	json_t *stages = json_array();

	for (int stage = view->has_database ? STAGE_DATABASE : STAGE_CONTAINER; stage < STAGE_COUNT;
	     stage++)
		json_array_append_new(
			stages,
			json_pack("{s:s, s:s}", "name", stage_name((enum stage)stage), "state",
				  stage_state((enum stage)stage, r->stage, r->status, database)));
	return json_pack("{s:s, s:o}", "stage", stage_name(stage_reached(r->stage, database)),
			 "stages", stages);
}

static int database_secrets(const struct call *c, const struct database *d, json_t *into,
			    struct err *e)
{
	CLEANUP(cleanup_free) char *context = mem_printf(CONTEXT_DATABASE, d->resource.id);
	CLEANUP(buf_wipe) struct buf password = BUF_INIT(SECRET_MAX);

	if (api_unseal(c, context, d->password_sealed, d->password_sealed_length, &password, e) < 0)
		return -1;
	CLEANUP(cleanup_free)
	char *url = manifest_database_url(d->username, password.data, d->host, (unsigned)d->port,
					  d->database, d->resource.namespace);
	set_text(into, "password", password.data);
	set_text(into, "connectionUrl", url);
	return 0;
}

int render_database(const struct call *c, const struct database *d, enum render how,
		    json_t **ret_json, struct err *e)
{
	CLEANUP(json_decrefp) json_t *json = render_resource(&d->resource);
	bool made = d->host != NULL;

	members_add(json, database_members, d);
	json_object_set_new(json, "port", made ? json_integer(d->port) : json_null());
	set_text(json, "password", NULL);
	set_text(json, "connectionUrl", NULL);
	if (made && shows_secrets(c, how) && database_secrets(c, d, json, e) < 0)
		return -1;
	*ret_json = STEAL(json);
	return 0;
}

int render_variable(const struct call *c, const struct variable *v, enum render how,
		    json_t **ret_json, struct err *e)
{
	CLEANUP(cleanup_free)
	char *context = mem_printf(CONTEXT_ENVIRONMENT, v->project_id, v->key);
	CLEANUP(buf_wipe) struct buf value = BUF_INIT(SECRET_MAX);
	bool shown = !v->is_secret || shows_secrets(c, how);

	if (shown && api_unseal(c, context, v->value_sealed, v->value_sealed_length, &value, e) < 0)
		return -1;
	*ret_json = members_object(variable_members, v);
	set_text(*ret_json, "value", shown ? (value.data ? value.data : "") : NULL);
	return 0;
}

int render_sandboxes(const struct call *c, const struct project_item *item, enum render how,
		     json_t *into, struct err *e)
{
	json_t *sandbox;

	for (size_t i = 0; i < item->sandbox_count; i++) {
		if (render_sandbox(c, &item->sandboxes[i], how, &sandbox, e) < 0)
			return -1;
		json_array_append_new(into, sandbox);
	}
	return 0;
}

int render_project_item(const struct call *c, const struct project_item *item, enum render how,
			json_t **ret_json, struct err *e)
{
	CLEANUP(json_decrefp) json_t *json = render_project(&item->project);
	json_t *sandboxes = json_array();
	json_t *databases = json_array();
	json_t *part;

	json_object_set_new(json, "sandboxes", sandboxes);
	json_object_set_new(json, "databases", databases);
	if (render_sandboxes(c, item, how, sandboxes, e) < 0)
		return -1;
	if (item->database != NULL) {
		if (render_database(c, item->database, how, &part, e) < 0)
			return -1;
		json_array_append_new(databases, part);
	}
	*ret_json = STEAL(json);
	return 0;
}
