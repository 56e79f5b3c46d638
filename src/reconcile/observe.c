#include "reconcile/observe.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/mem.h"
#include "manifest/manifest.h"

struct list {
	struct observation *observation;
	bool answered;
	struct err err;
	json_t *by_resource; /* resource id → array of objects; NULL when the list failed */
};

struct observation {
	struct list lists[KUBE_RESOURCE_COUNT];
	unsigned pending;
	observe_done_fn *done;
	void *user;
};

static json_t *index_by_resource(const json_t *items)
{
	json_t *by_resource = json_object();
	size_t i;
	json_t *item;

	json_array_foreach(items, i, item)
	{
		const json_t *metadata = json_object_get(item, "metadata");
		const char *id = json_string_value(json_object_get(
			json_object_get(metadata, "labels"), MANIFEST_LABEL_RESOURCE));
		if (id == NULL)
			continue;
		json_t *objects = json_object_get(by_resource, id);
		if (objects == NULL) {
			objects = json_array();
			json_object_set_new(by_resource, id, objects);
		}
		json_array_append(objects, item);
	}
	return by_resource;
}

static void list_done(void *user, const struct kube_answer *answer)
{
	struct list *list = user;
	struct observation *o = list->observation;

	list->answered = true;
	if (answer->ok)
		list->by_resource = index_by_resource(json_object_get(answer->body, "items"));
	else
		list->err = answer->err;
	if (--o->pending == 0)
		o->done(o->user);
}

/* "label in (id,id)": what a namespace holds beside would be read and thrown away. More ids than
 * fit into an address: all that have the label. */
static char *selector_of(const char *const *ids, size_t count)
{
	enum { IDS_MAX = 32 };
	CLEANUP(buf_release) struct buf list = BUF_INIT(4096);

	if (count > IDS_MAX)
		return mem_strdup(MANIFEST_LABEL_RESOURCE);
	if (count == 1)
		return mem_printf("%s=%s", MANIFEST_LABEL_RESOURCE, ids[0]);
	for (size_t i = 0; i < count; i++) {
		(void)buf_append(&list, ",", i > 0 ? 1 : 0, NULL);
		(void)buf_append(&list, ids[i], strlen(ids[i]), NULL);
	}
	return mem_printf("%s in (%s)", MANIFEST_LABEL_RESOURCE, list.data);
}

struct observation *observation_start(struct kube_client *client, struct kube_target *target,
				      unsigned kinds, const char *const *ids, size_t id_count,
				      observe_done_fn *done, void *user)
{
	CLEANUP(cleanup_free) char *selector = selector_of(ids, id_count);
	struct observation *o = mem_calloc(1, sizeof(*o));

	o->done = done;
	o->user = user;
	for (unsigned kind = 0; kind < KUBE_RESOURCE_COUNT; kind++)
		o->pending += (kinds & OBSERVE(kind)) != 0;
	for (unsigned kind = 0; kind < KUBE_RESOURCE_COUNT; kind++) {
		struct kube_list query = {
			.resource = (enum kube_resource)kind,
			.label_selector = selector,
			/* Whether a Secret is there is all we need to know of it. */
			.metadata_only = kind == KUBE_SECRETS,
		};
		if ((kinds & OBSERVE(kind)) == 0)
			continue;
		o->lists[kind].observation = o;
		kube_submit_list(client, target, &query, list_done, &o->lists[kind]);
	}
	return o;
}

struct observation *observation_from_json(const json_t *lists)
{
	struct observation *o = mem_calloc(1, sizeof(*o));

	for (unsigned kind = 0; kind < KUBE_RESOURCE_COUNT; kind++) {
		const json_t *items =
			json_object_get(lists, kube_resource_plural((enum kube_resource)kind));
		if (items == NULL)
			continue;
		o->lists[kind].answered = true;
		o->lists[kind].by_resource = index_by_resource(items);
	}
	return o;
}

void observation_free(struct observation *o)
{
	if (o == NULL)
		return;
	for (unsigned kind = 0; kind < KUBE_RESOURCE_COUNT; kind++)
		json_decref(o->lists[kind].by_resource);
	free(o);
}

int observation_check(const struct observation *o, unsigned kinds, struct err *e)
{
	for (unsigned kind = 0; kind < KUBE_RESOURCE_COUNT; kind++) {
		const struct list *list = &o->lists[kind];
		if ((kinds & OBSERVE(kind)) != 0 && list->by_resource == NULL) {
			if (e != NULL)
				*e = list->err;
			return -1;
		}
	}
	return 0;
}

bool observation_has(const struct observation *o, enum kube_resource kind)
{
	return o->lists[kind].by_resource != NULL;
}

const json_t *observation_of(const struct observation *o, enum kube_resource kind,
			     const char *resource_id)
{
	return json_object_get(o->lists[kind].by_resource, resource_id);
}

const json_t *observation_object(const struct observation *o, enum kube_resource kind,
				 const char *resource_id, const char *name)
{
	size_t i;
	json_t *object;

	json_array_foreach(observation_of(o, kind, resource_id), i, object)
	{
		const char *found = json_string_value(
			json_object_get(json_object_get(object, "metadata"), "name"));
		if (found != NULL && strcmp(found, name) == 0)
			return object;
	}
	return NULL;
}
