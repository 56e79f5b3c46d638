#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "http/client.h"
#include "kube/operation.h"
#include "kube/target.h"

enum { PAGE_ITEMS = 500, NAME_MAX_LENGTH = 253 };

#define METADATA      "PartialObjectMetadata" /* the form of objects without spec and status */
#define METADATA_LIST METADATA "List"

/* Of objects of which only the metadata is listed. */
static const char *const metadata_unread[] = { "managedFields", "annotations", NULL };

/* A log is text, and what is said instead of it JSON. */
static const char accept_any[] = "Accept: application/json, */*";
static const char accept_metadata[] = "Accept: application/json;as=" METADATA ";g=meta.k8s.io;v=v1";
static const char accept_metadata_list[] =
	"Accept: application/json;as=" METADATA_LIST ";g=meta.k8s.io;v=v1";

/* Adds "&name=value" to a query. */
static void add_parameter(char **query, const char *name, const char *value)
{
	if (value == NULL)
		return;
	CLEANUP(cleanup_free) char *before = *query;
	CLEANUP(cleanup_free) char *escaped = http_escape(value);
	*query = mem_printf("%s&%s=%s", before, name, escaped);
}

void kube_submit_list(struct kube_client *client, struct kube_target *target,
		      const struct kube_list *list, kube_done_fn *done, void *user)
{
	struct kube_operation *op =
		kube_operation_new(client, target, KUBE_LIST, list->resource, done, user);

	if (list->metadata_only) {
		op->accept = accept_metadata_list;
		op->members.unread = metadata_unread;
	}
	op->members.read = list->read;
	op->expected_kind = list->metadata_only ? mem_strdup(METADATA_LIST)
						: mem_printf("%sList", op->type->kind);
	op->selection = mem_printf("limit=%d", PAGE_ITEMS);
	add_parameter(&op->selection, "labelSelector", list->label_selector);
	add_parameter(&op->selection, "fieldSelector", list->field_selector);
	kube_operation_submit(op);
}

/* Names are parts of paths: "" would mean the whole collection, ".." another one. */
static bool is_name(const char *name)
{
	size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-.");

	return name[length] == '\0' && length > 0 && length <= NAME_MAX_LENGTH && name[0] != '.' &&
	       name[0] != '-';
}

/* Submits a request about one object. */
static void submit_named(struct kube_operation *op, const char *name)
{
	op->name = mem_strdup(name);
	if (is_name(name))
		kube_operation_submit(op);
	else
		kube_operation_refuse(op, "BAD_NAME", "not a name of an object");
}

void kube_submit_get(struct kube_client *client, struct kube_target *target,
		     enum kube_resource resource, const char *name, kube_done_fn *done, void *user)
{
	struct kube_operation *op =
		kube_operation_new(client, target, KUBE_GET, resource, done, user);

	op->expected_kind = mem_strdup(op->type->kind);
	submit_named(op, name);
}

void kube_submit_proxy(struct kube_client *client, struct kube_target *target,
		       const struct kube_proxy *proxy, kube_done_fn *done, void *user)
{
	struct kube_operation *op =
		kube_operation_new(client, target, KUBE_GET, KUBE_PODS, done, user);

	op->foreign = true;
	op->header = mem_strdup(proxy->header);
	op->name = mem_printf("%s:%u/proxy/%s", proxy->pod, proxy->port, proxy->path);
	if (is_name(proxy->pod))
		kube_operation_submit(op);
	else
		kube_operation_refuse(op, "BAD_NAME", "not a name of an object");
}

void kube_submit_log(struct kube_client *client, struct kube_target *target, const char *pod,
		     const char *container, unsigned lines, kube_done_fn *done, void *user)
{
	struct kube_operation *op =
		kube_operation_new(client, target, KUBE_LOG, KUBE_PODS, done, user);

	op->accept = accept_any;
	op->selection = mem_printf("previous=true&tailLines=%u&limitBytes=%d", lines, KUBE_LOG_MAX);
	add_parameter(&op->selection, "container", container);
	submit_named(op, pod);
}

void kube_submit_delete(struct kube_client *client, struct kube_target *target,
			enum kube_resource resource, const char *name, const char *uid,
			kube_done_fn *done, void *user)
{
	struct kube_operation *op =
		kube_operation_new(client, target, KUBE_DELETE, resource, done, user);
	json_auto_t *options = json_pack("{s:s, s:s, s:s}", "kind", "DeleteOptions", "apiVersion",
					 "v1", "propagationPolicy", "Background");

	/* Fails if `uid` is not UTF-8: then nothing is sent, because the precondition would be
	 * missing. */
	if (uid != NULL &&
	    json_object_set_new(options, "preconditions", json_pack("{s:s}", "uid", uid)) < 0) {
		kube_operation_refuse(op, "BAD_UID", "not a UID of an object");
		return;
	}
	op->body = json_dumps(options, JSON_COMPACT);
	submit_named(op, name);
}

static const char *text_of(const json_t *object, const char *member)
{
	const char *text = json_string_value(json_object_get(object, member));

	return text != NULL ? text : "";
}

static void submit_object(struct kube_client *client, struct kube_target *target,
			  enum kube_verb verb, json_t *object, kube_done_fn *done, void *user)
{
	const json_t *metadata = json_object_get(object, "metadata");
	const char *namespace = text_of(metadata, "namespace");
	enum kube_resource resource = KUBE_RESOURCE_COUNT;
	bool known = kube_resource_find(text_of(object, "apiVersion"), text_of(object, "kind"),
					&resource);
	struct kube_operation *op = kube_operation_new(client, target, verb, resource, done, user);

	if (!known) {
		kube_operation_refuse(op, "BAD_TYPE", "its apiVersion and kind are none of ours");
		return;
	}
	if (namespace[0] != '\0' && strcmp(namespace, target->namespace) != 0) {
		kube_operation_refuse(op, "BAD_NAMESPACE", "the object is for another namespace");
		return;
	}
	op->accept = resource == KUBE_SECRETS ? accept_metadata : KUBE_ACCEPT_JSON;
	op->expected_kind = mem_strdup(resource == KUBE_SECRETS ? METADATA : op->type->kind);
	op->body = json_write(object);
	submit_named(op, text_of(metadata, "name"));
}

void kube_submit_apply(struct kube_client *client, struct kube_target *target, json_t *object,
		       kube_done_fn *done, void *user)
{
	submit_object(client, target, KUBE_APPLY, object, done, user);
}

void kube_submit_dry_run(struct kube_client *client, struct kube_target *target, json_t *object,
			 kube_done_fn *done, void *user)
{
	submit_object(client, target, KUBE_DRY_RUN, object, done, user);
}

void kube_submit_namespace(struct kube_client *client, struct kube_target *target,
			   kube_done_fn *done, void *user)
{
	kube_submit_get(client, target, KUBE_NAMESPACES, target->namespace, done, user);
}

void kube_submit_rules_review(struct kube_client *client, struct kube_target *target,
			      kube_done_fn *done, void *user)
{
	struct kube_operation *op =
		kube_operation_new(client, target, KUBE_REVIEW, KUBE_RULES_REVIEWS, done, user);
	json_auto_t *review =
		json_pack("{s:s, s:s, s:{s:s}}", "apiVersion", op->type->api_version, "kind",
			  op->type->kind, "spec", "namespace", target->namespace);

	op->expected_kind = mem_strdup(op->type->kind);
	op->body = json_dumps(review, JSON_COMPACT);
	kube_operation_submit(op);
}

void kube_submit_types(struct kube_client *client, struct kube_target *target,
		       enum kube_resource resource, kube_done_fn *done, void *user)
{
	struct kube_operation *op =
		kube_operation_new(client, target, KUBE_TYPES, resource, done, user);

	op->expected_kind = mem_strdup("APIResourceList");
	kube_operation_submit(op);
}
