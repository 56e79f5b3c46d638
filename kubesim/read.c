/* get, list and watch. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/parse.h"
#include "crypto/token.h"
#include "verbs.h"

enum { CONTINUE_MAX = 1024 };

const char *call_parameter(const struct call *call, const char *name)
{
	const char *value = call->request->parameter(call->request->user, name);

	return value != NULL ? value : "";
}

bool call_wants(const struct call *call, const char *type)
{
	return strstr(call->request->accept, type) != NULL;
}

static void append(struct buf *b, const char *text)
{
	buf_append(b, text, strlen(text), NULL);
}

int verb_get(const struct call *call, int *ret_code, struct buf *body, struct refusal *r)
{
	const struct path *p = call->path;
	const struct sim *sim = call->sim;
	struct object *o = call->stale && sim->snapshot != NULL
				   ? snapshot_get(sim->snapshot, p->kind->id, p->namespace, p->name)
				   : store_get(sim->store, p->kind->id, p->namespace, p->name);

	if (o == NULL)
		return refuse_not_found(r, p->kind, p->name);
	if (call_wants(call, "as=PartialObjectMetadata;"))
		object_write_metadata(o, body);
	else
		object_write(o, body);
	*ret_code = 200;
	return 0;
}

/* ---- list ------------------------------------------------------------------------------------ */

struct list {
	struct selector *labels, *fields;
	struct object **objects;
	size_t count;
	uint64_t limit;                   /* 0: none */
	char *from_namespace, *from_name; /* the last object of the previous page, or NULL */
};

static void list_clear(struct list *l)
{
	selector_free(l->labels);
	selector_free(l->fields);
	free(l->objects);
	free(l->from_namespace);
	free(l->from_name);
}

/* A continue token is the last object of the previous page. It contains no version: unlike on a
 * real server, the pages of a list are not of one moment. */
static int read_continue(const char *token, struct list *l, struct refusal *r)
{
	CLEANUP(buf_release) struct buf text = BUF_INIT(CONTINUE_MAX);
	char *slash;

	if (token[0] == '\0')
		return 0;
	if (!base64_decode(BASE64_STANDARD, token, strlen(token), &text) || text.length == 0 ||
	    (slash = strchr(text.data, '/')) == NULL)
		return refuse_bad_request(r, "continue key is not valid: %.100s", token);
	*slash = '\0';
	l->from_namespace = mem_strdup(text.data);
	l->from_name = mem_strdup(slash + 1);
	return 0;
}

static int list_prepare(const struct call *call, struct list *l, struct refusal *r)
{
	const struct path *p = call->path;
	const struct sim *sim = call->sim;
	const char *namespace =
		p->namespace[0] != '\0' || !p->kind->namespaced ? p->namespace : NULL;
	const char *limit = call_parameter(call, "limit");

	if (selector_new_labels(call_parameter(call, "labelSelector"), &l->labels, r) < 0 ||
	    selector_new_fields(call_parameter(call, "fieldSelector"), p->kind, &l->fields, r) <
		    0 ||
	    read_continue(call_parameter(call, "continue"), l, r) < 0)
		return -1;
	if (limit[0] != '\0' && !parse_u64(limit, 0, UINT32_MAX, &l->limit))
		return refuse_bad_request(r, "strconv.ParseInt: parsing \"%.40s\": invalid syntax",
					  limit);
	l->objects = call->stale && sim->snapshot != NULL
			     ? snapshot_list(sim->snapshot, p->kind->id, namespace, &l->count)
			     : store_list(sim->store, p->kind->id, namespace, l->labels, &l->count);
	return 0;
}

static bool is_after(const struct object *o, const struct list *l)
{
	if (l->from_name == NULL)
		return true;
	int order = strcmp(o->namespace, l->from_namespace);
	return order > 0 || (order == 0 && strcmp(o->name, l->from_name) > 0);
}

static void write_list_head(const struct call *call, struct buf *b, bool metadata_only)
{
	const struct kind *kind = call->path->kind;
	CLEANUP(cleanup_free)
	char *head = mem_printf("{\"kind\":\"%sList\",\"apiVersion\":\"%s\",\"metadata\":{"
				"\"resourceVersion\":\"%llu\"",
				metadata_only ? "PartialObjectMetadata" : kind->kind,
				metadata_only ? "meta.k8s.io/v1" : kind->api_version,
				(unsigned long long)store_version(call->sim->store));

	append(b, head);
}

static void write_continue(struct buf *b, const struct object *last, size_t remaining)
{
	CLEANUP(cleanup_free) char *text = mem_printf("%s/%s", last->namespace, last->name);
	CLEANUP(cleanup_free) char *token = base64_encode(text, strlen(text));
	CLEANUP(cleanup_free)
	char *members =
		mem_printf(",\"continue\":\"%s\",\"remainingItemCount\":%zu", token, remaining);

	append(b, members);
}

/* Keeps the requested objects in `objects`; returns how many are on this page. */
static size_t list_select(struct list *l)
{
	size_t kept = 0;

	for (size_t i = 0; i < l->count; i++) {
		struct object *o = l->objects[i];
		if (is_after(o, l) && selector_matches(l->labels, o) &&
		    selector_matches(l->fields, o))
			l->objects[kept++] = o;
	}
	l->count = kept;
	return l->limit > 0 && l->limit < kept ? (size_t)l->limit : kept;
}

int verb_list(const struct call *call, int *ret_code, struct buf *body, struct refusal *r)
{
	CLEANUP(list_clear) struct list l = { 0 };
	bool metadata_only = call_wants(call, "as=PartialObjectMetadataList");

	if (list_prepare(call, &l, r) < 0)
		return -1;
	size_t page = list_select(&l);
	write_list_head(call, body, metadata_only);
	if (page < l.count)
		write_continue(body, l.objects[page - 1], l.count - page);
	append(body, "},\"items\":[");
	for (size_t i = 0; i < page; i++) {
		if (i > 0)
			append(body, ",");
		if (metadata_only)
			object_write_metadata(l.objects[i], body);
		else
			object_write_item(l.objects[i], body);
	}
	append(body, "]}");
	*ret_code = 200;
	return 0;
}

/* ---- watch ----------------------------------------------------------------------------------- */

static int read_number(const struct call *call, const char *name, uint64_t otherwise,
		       uint64_t *ret_number, struct refusal *r)
{
	const char *text = call_parameter(call, name);

	*ret_number = otherwise;
	if (text[0] == '\0' || parse_u64(text, 0, UINT32_MAX, ret_number))
		return 0;
	return refuse_bad_request(r, "strconv.ParseInt: parsing \"%.40s\": invalid syntax", text);
}

static int read_version(const struct call *call, uint64_t *ret_version, struct refusal *r)
{
	const char *text = call_parameter(call, "resourceVersion");

	*ret_version = 0;
	if (text[0] == '\0' || parse_u64(text, 0, UINT64_MAX, ret_version))
		return 0;
	return refuse(r, 500, "",
		      "resourceVersion: Invalid value: \"%.40s\": strconv.ParseUint: parsing "
		      "\"%.40s\": invalid syntax",
		      text, text);
}

int verb_watch(const struct call *call, int *ret_code, struct buf *body, struct refusal *r)
{
	enum { DURATION_S = 1800 };
	CLEANUP(list_clear) struct list l = { 0 };
	const struct path *p = call->path;
	struct watch_query query = {
		.kind = p->kind->id,
		.namespace = p->namespace[0] != '\0' || !p->kind->namespaced ? p->namespace : NULL,
		.metadata_only = call_wants(call, "as=PartialObjectMetadata;"),
		.bookmarks = strcmp(call_parameter(call, "allowWatchBookmarks"), "true") == 0,
	};
	uint64_t seconds;

	(void)body;
	if (read_number(call, "timeoutSeconds", DURATION_S, &seconds, r) < 0 ||
	    read_version(call, &query.from_version, r) < 0 || list_prepare(call, &l, r) < 0)
		return -1;
	query.duration_ms = seconds * 1000;
	query.labels = STEAL(l.labels);
	query.fields = STEAL(l.fields);
	*call->ret_watch = watch_new(call->sim->watches, &query, l.objects, l.count,
				     store_version(call->sim->store));
	*ret_code = 200;
	return 0;
}
