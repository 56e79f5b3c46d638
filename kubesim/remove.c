/* delete. */
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/parse.h"
#include "verbs.h"
#include "write.h"

static const char *text_of(const json_t *json, const char *path)
{
	return json_string_value(json_path(json, path));
}

/* DeleteOptions are in the body, or in parameters. */
static int read_options(const struct call *call, const json_t *body, struct delete_options *o,
			struct refusal *r)
{
	static const char *const policies[] = { "Background", "Foreground", "Orphan" };
	const char *policy = call_parameter(call, "propagationPolicy");
	const char *grace = call_parameter(call, "gracePeriodSeconds");
	uint64_t seconds;

	*o = (struct delete_options) {
		.uid = text_of(body, "preconditions.uid"),
		.version = text_of(body, "preconditions.resourceVersion"),
		.grace_s = json_path_number(body, "gracePeriodSeconds", -1),
		.propagation = text_of(body, "propagationPolicy"),
	};
	if (o->propagation == NULL && policy[0] != '\0')
		o->propagation = policy;
	if (parse_u64(grace, 0, INT32_MAX, &seconds))
		o->grace_s = (long long)seconds;
	for (size_t i = 0; i < ARRAY_SIZE(policies) && o->propagation != NULL; i++) {
		if (strcmp(policies[i], o->propagation) == 0)
			return 0;
	}
	if (o->propagation == NULL)
		return 0;
	return refuse_options(r, "DeleteOptions", "FieldValueNotSupported", "propagationPolicy",
			      "\"%.60s\": supported values: \"Foreground\", \"Background\", "
			      "\"Orphan\", \"nil\"",
			      o->propagation);
}

/* For these types, the response is the object even if it is gone. */
static bool returns_object(enum kind_id kind)
{
	return kind == KIND_POD || kind == KIND_SERVICE || kind == KIND_CLAIM ||
	       kind == KIND_SERVICE_ACCOUNT || kind == KIND_QUOTA;
}

static void write_success(const struct kind *kind, const char *name, const char *uid,
			  struct buf *body)
{
	CLEANUP(json_decrefp)
	json_t *status = json_pack("{s:s, s:s, s:{}, s:s, s:{s:s, s:s, s:s}}", "kind", "Status",
				   "apiVersion", "v1", "metadata", "status", "Success", "details",
				   "name", name, "kind", kind->plural, "uid", uid);

	if (kind->group[0] != '\0')
		json_object_set_new(json_object_get(status, "details"), "group",
				    json_string(kind->group));
	CLEANUP(cleanup_free) char *text = json_dumps(status, JSON_COMPACT);
	buf_append(body, text, strlen(text), NULL);
}

static void release(struct object **o)
{
	object_release(*o);
}

int verb_delete(const struct call *call, int *ret_code, struct buf *body, struct refusal *r)
{
	const struct path *p = call->path;
	CLEANUP(json_decrefp)
	json_t *json = json_loadb(call->request->body, call->request->body_length, 0, NULL);
	struct object *o = store_get(call->sim->store, p->kind->id, p->namespace, p->name), *left;
	struct delete_options options;
	struct change c = {
		.user = call->request->who,
		.verb = call->verb,
		.subresource = "",
		.dry_run = strcmp(call_parameter(call, "dryRun"), "All") == 0,
	};

	if (read_options(call, json, &options, r) < 0)
		return -1;
	if (o == NULL)
		return refuse_not_found(r, p->kind, p->name);
	CLEANUP(release) struct object *kept = object_reference(o);
	if (write_delete(call->sim, kept, &options, &c, &left, r) < 0)
		return -1;
	*ret_code = 200;
	if (left != NULL || returns_object(p->kind->id))
		object_write(left != NULL ? left : kept, body);
	else
		write_success(p->kind, kept->name, kept->uid, body);
	return 0;
}
