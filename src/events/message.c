#include "events/message.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "domain/cause.h"
#include "domain/types.h"
#include "store/warnings.h"

static json_t *cause(const struct live_resource *r)
{
	const struct cause_text *text = cause_text_of(r->cause_kind, r->cause_code);

	if (r->cause_kind == NULL)
		return json_null();
	const char *message = cause_message(r->cause_kind, r->cause_message);
	return json_pack("{s:s, s:s?, s:s?, s:s?, s:s?, s:s?, s:s?}", "kind", r->cause_kind, "code",
			 r->cause_code, "message", message, "since", r->cause_since, "headline",
			 text ? text->headline : NULL, "action", text ? text->action : NULL,
			 "detail", message ? cause_detail(message) : NULL);
}

static json_t *resource(const struct live_resource *r)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:o}", "id", r->id, "desired", r->desired,
			 "status", r->status, "statusSince", r->status_since, "stage", r->stage,
			 "cause", cause(r), "warnings", warnings_json(r->warnings));
}

static json_t *resources(const struct live_project *project, enum resource_kind kind)
{
	json_t *list = json_array();

	for (size_t i = 0; i < project->resource_count; i++) {
		if (strcmp(project->resources[i].kind, resource_kind_name(kind)) == 0)
			json_array_append_new(list, resource(&project->resources[i]));
	}
	return list;
}

/* PostgreSQL only has UTF-8, so this can only fail for lack of memory. */
static char *print(json_t *json)
{
	char *text = json_dumps(json, JSON_COMPACT);

	json_decref(json);
	if (text == NULL)
		abort();
	return text;
}

char *message_project(const struct live_project *project)
{
	json_t *short_message = json_pack(
		"{s:s, s:s, s:s, s:s, s:s?, s:s?, s:s?, s:s?, s:s?, s:o}", "id", project->id,
		"name", project->name, "status", project->status, "updatedAt", project->updated_at,
		"expiresAt", project->expires_at, "deletesAt", project->deletes_at, "trashUntil",
		project->trash_until, "keepUntil", project->keep_until, "idleStopsAt",
		project->idle_stops_at, "warnings", warnings_json(project->warnings));
	json_t *message = json_copy(short_message);

	json_object_set_new(message, "sandboxes", resources(project, RESOURCE_SANDBOX));
	json_object_set_new(message, "databases", resources(project, RESOURCE_DATABASE));
	char *text = print(message);
	if (strlen(text) > MESSAGE_MAX) {
		free(text);
		return print(short_message);
	}
	json_decref(short_message);
	return text;
}

char *message_gone(const char *project_id)
{
	return print(json_pack("{s:s}", "id", project_id));
}

char *message_kubeconfig(const json_t *check)
{
	return print(json_deep_copy(check));
}
