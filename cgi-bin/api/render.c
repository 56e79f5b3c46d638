#include "render.h"

#include <string.h>

#include "api.h"
#include "base/cleanup.h"
#include "base/mem.h"
#include "crypto/token.h"
#include "domain/project.h"
#include "manifest/manifest.h"
#include "web/json.h"
#include "web/query.h"

enum { SECRET_MAX = ENVIRONMENT_VALUE_MAX };

json_t *render_project(const struct project *p)
{
	return json_pack("{s:s, s:s, s:s?, s:s, s:s?, s:s, s:s, s:s}", "id", p->id, "name", p->name,
			 "description", p->description, "userId", p->user_id, "githubRepo",
			 p->github_repo, "status", status_name(p->status), "createdAt",
			 p->created_at, "updatedAt", p->updated_at);
}

json_t *render_request(const char *message, const struct project *p)
{
	return json_pack("{s:s, s:{s:s, s:s, s:s}}", "message", message, "project", "id", p->id,
			 "status", status_name(p->status), "updatedAt", p->updated_at);
}

/* What keeps it from where the user wants it; null: nothing that we know of. */
static json_t *render_cause(const struct resource *r)
{
	if (r->cause_kind == NULL)
		return json_null();
	return json_pack("{s:s, s:s?, s:s?, s:s?, s:i, s:s?}", "kind", r->cause_kind, "code",
			 r->cause_code, "message", r->cause_message, "since", r->cause_since,
			 "attempts", (int)r->attempts, "nextAttemptAt", r->next_attempt_at);
}

static json_t *render_resource(const struct resource *r)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s?, s:s?, s:s, s:s, s:s, s:s, s:s, s:s, "
			 "s:o}",
			 "id", r->id, "projectId", r->project_id, "name", r->name, "k8sNamespace",
			 r->namespace, "status", status_name(r->status), "desired",
			 desired_name(r->desired), "statusSince", r->status_since, "lockedUntil",
			 r->locked_until, "cpuRequest", r->cpu_request, "cpuLimit", r->cpu_limit,
			 "memoryRequest", r->memory_request, "memoryLimit", r->memory_limit,
			 "createdAt", r->created_at, "updatedAt", r->updated_at, "cause",
			 render_cause(r));
}

/* What ttyd's fork takes instead of a password prompt: base64 of "user:token", escaped. */
static int terminal_url(const struct call *c, const struct sandbox *s, char **ret_url,
			struct err *e)
{
	CLEANUP(cleanup_free) char *context = mem_printf("terminal:%s", s->resource.id);
	CLEANUP(buf_wipe) struct buf token = BUF_INIT(SECRET_MAX);

	if (api_unseal(c, context, s->terminal_token_sealed, s->terminal_token_sealed_length,
		       &token, e) < 0)
		return -1;
	CLEANUP(cleanup_free) char *credential = mem_printf("user:%s", token.data);
	CLEANUP(cleanup_free) char *encoded = base64_encode(credential, strlen(credential));
	CLEANUP(cleanup_free) char *escaped = query_escape(encoded);
	*ret_url = mem_printf("https://%s?authorization=%s", s->ttyd_host, escaped);
	return 0;
}

int render_sandbox(const struct call *c, const struct sandbox *s, enum render how,
		   json_t **ret_json, struct err *e)
{
	CLEANUP(cleanup_free) char *app = mem_printf("https://%s", s->app_host);
	CLEANUP(cleanup_free) char *terminal = NULL;

	if (how == RENDER_LISTED)
		terminal = mem_printf("https://%s", s->ttyd_host);
	else if (terminal_url(c, s, &terminal, e) < 0)
		return -1;
	json_t *json = render_resource(&s->resource);
	json_object_update_new(json, json_pack("{s:s, s:s, s:s, s:n, s:s, s:s}", "sandboxName",
					       s->resource.name, "publicUrl", app, "ttydUrl",
					       terminal, "fileBrowserUrl", "runtimeImage", s->image,
					       "stage", stage_name(s->resource.stage)));
	*ret_json = json;
	return 0;
}

static int database_secrets(const struct call *c, const struct database *d, json_t *into,
			    struct err *e)
{
	CLEANUP(cleanup_free) char *context = mem_printf("database:%s", d->resource.id);
	CLEANUP(buf_wipe) struct buf password = BUF_INIT(SECRET_MAX);

	if (api_unseal(c, context, d->password_sealed, d->password_sealed_length, &password, e) < 0)
		return -1;
	CLEANUP(cleanup_free)
	char *url = manifest_database_url(d->username, password.data, d->host, (unsigned)d->port,
					  d->database, d->resource.namespace);
	json_object_update_new(
		into, json_pack("{s:s, s:s}", "password", password.data, "connectionUrl", url));
	return 0;
}

int render_database(const struct call *c, const struct database *d, enum render how,
		    json_t **ret_json, struct err *e)
{
	CLEANUP(json_release) json_t *json = render_resource(&d->resource);
	bool made = d->host != NULL;

	json_object_update_new(json, json_pack("{s:s, s:s, s:s?, s:s?, s:s?, s:o, s:n, s:n}",
					       "databaseName", d->resource.name, "storageSize",
					       d->storage_size, "host", d->host, "database",
					       d->database, "username", d->username, "port",
					       made ? json_integer(d->port) : json_null(),
					       "password", "connectionUrl"));
	if (made && how == RENDER_DETAILED && database_secrets(c, d, json, e) < 0)
		return -1;
	*ret_json = STEAL(json);
	return 0;
}

int render_variable(const struct call *c, const struct variable *v, enum render how,
		    json_t **ret_json, struct err *e)
{
	CLEANUP(cleanup_free)
	char *context = mem_printf("environment:%s:%s", v->project_id, v->key);
	CLEANUP(buf_wipe) struct buf value = BUF_INIT(SECRET_MAX);
	bool shown = !v->is_secret || how == RENDER_DETAILED;

	if (shown && api_unseal(c, context, v->value_sealed, v->value_sealed_length, &value, e) < 0)
		return -1;
	*ret_json = json_pack("{s:s, s:s, s:s, s:s?, s:s, s:b, s:s, s:s}", "id", v->id, "projectId",
			      v->project_id, "key", v->key, "value",
			      shown ? (value.data ? value.data : "") : NULL, "category",
			      v->category, "isSecret", v->is_secret, "createdAt", v->created_at,
			      "updatedAt", v->updated_at);
	return 0;
}

int render_project_item(const struct call *c, const struct project_item *item, enum render how,
			json_t **ret_json, struct err *e)
{
	CLEANUP(json_release) json_t *json = render_project(&item->project);
	json_t *sandboxes = json_array();
	json_t *databases = json_array();
	json_t *part;

	json_object_set_new(json, "sandboxes", sandboxes);
	json_object_set_new(json, "databases", databases);
	if (item->sandbox != NULL) {
		if (render_sandbox(c, item->sandbox, how, &part, e) < 0)
			return -1;
		json_array_append_new(sandboxes, part);
	}
	if (item->database != NULL) {
		if (render_database(c, item->database, how, &part, e) < 0)
			return -1;
		json_array_append_new(databases, part);
	}
	*ret_json = STEAL(json);
	return 0;
}
