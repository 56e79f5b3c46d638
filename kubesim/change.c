/* create, update, apply and patch. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "defaults.h"
#include "managed.h"
#include "validate.h"
#include "verbs.h"
#include "write.h"

enum { MANAGER_MAX = 128 };

/* ---- shared by all changes ------------------------------------------------------------------- */

static int read_body(const struct call *call, json_t **ret_json, struct refusal *r)
{
	json_error_t error;
	json_t *json = json_loadb(call->request->body, call->request->body_length,
				  JSON_REJECT_DUPLICATES, &error);

	if (json_is_object(json)) {
		*ret_json = json;
		return 0;
	}
	json_decref(json);
	return refuse_bad_request(r, "the object provided is unrecognized (must be JSON): %.200s",
				  error.text);
}

/* The parameter, or the program's name from its User-Agent. */
static const char *manager_of(const struct call *call, char ret_name[MANAGER_MAX])
{
	const char *given = call_parameter(call, "fieldManager");
	const char *agent = call->request->user_agent;

	if (given[0] != '\0')
		snprintf(ret_name, MANAGER_MAX, "%.120s", given);
	else
		snprintf(ret_name, MANAGER_MAX, "%.*s", (int)strcspn(agent, "/"),
			 agent[0] != '\0' ? agent : "unknown");
	return ret_name;
}

static struct change change_of(const struct call *call)
{
	return (struct change) {
		.user = call->request->who,
		.verb = call->verb,
		.subresource = call->path->subresource,
		.dry_run = strcmp(call_parameter(call, "dryRun"), "All") == 0,
	};
}

/* Checks that type, name and namespace in the body, if given, match the path. */
static int check_identity(const struct call *call, json_t *json, struct refusal *r)
{
	const struct path *p = call->path;
	const char *kind = json_path_text(json, "kind");
	const char *version = json_path_text(json, "apiVersion");
	const char *name = json_path_text(json, "metadata.name");
	const char *namespace = json_path_text(json, "metadata.namespace");
	const char *group = p->group[0] != '\0' ? p->group : "core";

	if (kind[0] != '\0' && strcmp(kind, p->kind->kind) != 0)
		return refuse_bad_request(r,
					  "%.60s in version \"%s\" cannot be handled as a %s: "
					  "converting (%s.%.60s) to (%.*s.%s): unknown conversion",
					  kind, p->version, p->kind->kind, p->version, kind,
					  (int)strcspn(group, "."), group, p->kind->kind);
	if (version[0] != '\0' && strcmp(version, p->kind->api_version) != 0)
		return refuse_bad_request(r,
					  "the API version in the data (%.100s) does not match the "
					  "expected API version (%s)",
					  version, p->kind->api_version);
	if (p->name[0] != '\0' && name[0] != '\0' && strcmp(name, p->name) != 0)
		return refuse_bad_request(
			r,
			"the name of the object (%.253s) does not match the name on "
			"the URL (%s)",
			name, p->name);
	if (namespace[0] != '\0' && strcmp(namespace, p->namespace) != 0)
		return refuse_bad_request(r,
					  "the namespace of the provided object does not match the "
					  "namespace sent on the request");
	if (p->name[0] != '\0')
		json_path_set(json, "metadata.name", json_string(p->name));
	if (p->kind->namespaced)
		json_path_set(json, "metadata.namespace", json_string(p->namespace));
	return 0;
}

/* Refuses unknown fields under fieldValidation=Strict; otherwise removes them. */
static int check_fields(const struct call *call, json_t *json, struct refusal *r)
{
	const struct kind *kind = call->path->kind;
	char unknown[256] = "";
	size_t count = schema_prune(kind->schema, json, unknown, sizeof(unknown));

	if (count > 0 && strcmp(call_parameter(call, "fieldValidation"), "Strict") == 0)
		return refuse_bad_request(r,
					  "%s in version \"%s\" cannot be handled as a %s: strict "
					  "decoding error: unknown field \"%s\"",
					  kind->kind, kind->version, kind->kind, unknown);
	if (schema_check_types(kind->schema, json, kind->kind, r) < 0)
		return -1;
	return validate_decoding(kind, json, r);
}

static int refuse_uid(struct refusal *r, const struct kind *kind, const char *name, const char *uid)
{
	refuse_invalid_begin(r);
	refuse_invalid_field(r, "FieldValueInvalid", "metadata.uid",
			     "\"%.60s\": field is immutable", uid);
	return refuse_invalid_end(r, kind, name);
}

/* A resourceVersion or uid in a body is a precondition. */
static int check_version(const struct object *before, const json_t *json, struct refusal *r)
{
	const char *wanted = json_path_text(json, "metadata.resourceVersion");
	const char *uid = json_path_text(json, "metadata.uid");
	char version[24];

	snprintf(version, sizeof(version), "%llu", (unsigned long long)before->version);
	if (wanted[0] != '\0' && strcmp(wanted, version) != 0)
		return refuse_conflict(r, before->kind, before->name,
				       "the object has been modified; please apply your changes to "
				       "the latest version and try again");
	if (uid[0] != '\0' && strcmp(uid, before->uid) != 0)
		return refuse_uid(r, before->kind, before->name, uid);
	return 0;
}

/* Answers with the present object; after a dry run, or if it went with its last finalizer, as
 * written. */
static void answer(const struct call *call, const struct object *o, json_t *json, struct buf *body)
{
	struct object *written = o == NULL ? object_new(call->path->kind, json) : NULL;
	const struct object *shown = o == NULL ? written : o;

	if (call_wants(call, "as=PartialObjectMetadata;"))
		object_write_metadata(shown, body);
	else
		object_write(shown, body);
	object_release(written);
}

static struct object *find(const struct call *call)
{
	const struct path *p = call->path;

	return store_get(call->sim->store, p->kind->id, p->namespace, p->name);
}

static int create(const struct call *call, json_t *json, int *ret_code, struct buf *body,
		  struct refusal *r)
{
	struct change c = change_of(call);
	struct object *o;

	if (write_create(call->sim, call->path->kind, json, &c, &o, r) < 0)
		return -1;
	answer(call, o, json, body);
	*ret_code = 201;
	return 0;
}

static int update(const struct call *call, struct object *before, json_t *json, int *ret_code,
		  struct buf *body, struct refusal *r)
{
	struct change c = change_of(call);
	struct object *o;

	if (write_update(call->sim, before, json, &c, &o, r) < 0)
		return -1;
	answer(call, o, json, body);
	*ret_code = 200;
	return 0;
}

/* ---- the verbs ------------------------------------------------------------------------------- */

int verb_create(const struct call *call, int *ret_code, struct buf *body, struct refusal *r)
{
	CLEANUP(json_decrefp) json_t *json = NULL;
	char manager[MANAGER_MAX], now[TIME_LENGTH];
	struct writer w = { manager_of(call, manager), "", sim_time(0, now) };

	if (read_body(call, &json, r) < 0 || check_identity(call, json, r) < 0 ||
	    check_fields(call, json, r) < 0)
		return -1;
	if (json_path(json, "metadata.resourceVersion") != NULL)
		return refuse(r, 500, "",
			      "resourceVersion should not be set on objects to be created");
	managed_update(call->path->kind, NULL, json, &w);
	return create(call, json, ret_code, body, r);
}

int verb_update(const struct call *call, int *ret_code, struct buf *body, struct refusal *r)
{
	CLEANUP(json_decrefp) json_t *json = NULL;
	char manager[MANAGER_MAX], now[TIME_LENGTH];
	struct writer w = { manager_of(call, manager), call->path->subresource, sim_time(0, now) };
	struct object *before = find(call);

	if (before == NULL)
		return refuse_not_found(r, call->path->kind, call->path->name);
	if (read_body(call, &json, r) < 0 || check_identity(call, json, r) < 0 ||
	    check_fields(call, json, r) < 0 || check_version(before, json, r) < 0)
		return -1;
	CLEANUP(json_decrefp) json_t *old = object_json(before);
	defaults_fill(call->sim, before->kind, old, json);
	managed_update(before->kind, old, json, &w);
	return update(call, before, json, ret_code, body, r);
}

/* RFC 7386. */
static void merge_patch(json_t *target, const json_t *patch)
{
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)patch, name, value)
	{
		if (json_is_null(value)) {
			json_object_del(target, name);
			continue;
		}
		if (!json_is_object(value)) {
			json_object_set(target, name, value);
			continue;
		}
		if (!json_is_object(json_object_get(target, name)))
			json_object_set_new(target, name, json_object());
		merge_patch(json_object_get(target, name), value);
	}
}

int verb_patch(const struct call *call, int *ret_code, struct buf *body, struct refusal *r)
{
	CLEANUP(json_decrefp) json_t *patch = NULL;
	char manager[MANAGER_MAX], now[TIME_LENGTH];
	struct writer w = { manager_of(call, manager), call->path->subresource, sim_time(0, now) };
	struct object *before = find(call);

	if (before == NULL)
		return refuse_not_found(r, call->path->kind, call->path->name);
	if (read_body(call, &patch, r) < 0 || check_version(before, patch, r) < 0)
		return -1;
	CLEANUP(json_decrefp) json_t *old = object_json(before);
	CLEANUP(json_decrefp) json_t *json = json_deep_copy(old);
	merge_patch(json, patch);
	if (check_identity(call, json, r) < 0 || check_fields(call, json, r) < 0)
		return -1;
	defaults_fill(call->sim, before->kind, old, json);
	managed_update(before->kind, old, json, &w);
	return update(call, before, json, ret_code, body, r);
}

static int check_apply(const struct call *call, json_t *json, struct refusal *r)
{
	const struct path *p = call->path;
	char subject[768];

	if (call_parameter(call, "fieldManager")[0] == '\0')
		return refuse_options(r, "PatchOptions", "FieldValueRequired", "fieldManager",
				      "is required for apply patch");
	if (json_path(json, "metadata.managedFields") != NULL)
		return refuse_bad_request(r, "metadata.managedFields must be nil");
	if (json_object_get(json, "apiVersion") == NULL || json_object_get(json, "kind") == NULL)
		return refuse_bad_request(r, "error decoding YAML: Object 'Kind' is missing");
	snprintf(subject, sizeof(subject), "(%.253s/%s; %s, Kind=%s)",
		 json_path_text(json, "metadata.namespace"), p->name, p->kind->api_version,
		 p->kind->kind);
	if (check_identity(call, json, r) < 0)
		return -1;
	return schema_check_typed(p->kind->schema, json, subject, r);
}

int verb_apply(const struct call *call, int *ret_code, struct buf *body, struct refusal *r)
{
	CLEANUP(json_decrefp) json_t *config = NULL;
	CLEANUP(json_decrefp) json_t *old = NULL;
	CLEANUP(json_decrefp) json_t *json = NULL;
	char manager[MANAGER_MAX], now[TIME_LENGTH];
	struct writer w = { manager_of(call, manager), call->path->subresource, sim_time(0, now) };
	bool force = strcmp(call_parameter(call, "force"), "true") == 0;
	struct object *before = find(call);

	if (read_body(call, &config, r) < 0 || check_apply(call, config, r) < 0 ||
	    validate_decoding(call->path->kind, config, r) < 0)
		return -1;
	const char *uid = json_path_text(config, "metadata.uid");
	if (before == NULL && w.subresource[0] != '\0')
		return refuse_not_found(r, call->path->kind, call->path->name);
	if (before == NULL && uid[0] != '\0')
		return refuse_conflict(r, call->path->kind, call->path->name,
				       "uid mismatch: the provided object specified uid %.60s, and "
				       "no existing object was found",
				       uid);
	if (before != NULL && check_version(before, config, r) < 0)
		return -1;
	old = before != NULL ? object_json(before) : NULL;
	if (managed_apply(call->path->kind, old, config, &w, force, &json, r) < 0)
		return -1;
	if (before == NULL)
		return create(call, json, ret_code, body, r);
	return update(call, before, json, ret_code, body, r);
}
