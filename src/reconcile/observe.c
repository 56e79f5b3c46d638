#include "reconcile/observe.h"

#include <stdlib.h>
#include <string.h>

#include "base/json_at.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/mem.h"
#include "manifest/manifest.h"

enum { INSTANCE_CLAIMS = KUBE_RESOURCE_COUNT, LIST_COUNT };

struct list {
	struct observation *observation;
	const char *label; /* the label by which objects are found */
	struct err err;
	json_t *by_resource; /* resource id → array of objects; NULL if the list failed */
};

struct observation {
	struct kube_client *client;
	struct kube_target *target;
	char *resources, *instances; /* the selectors */
	unsigned brief, anchors;
	struct list lists[LIST_COUNT];
	json_t *ids; /* label's value → resource id; our own label's value is the id */
	time_t date; /* the latest Date of the responses */
	unsigned pending;
	observe_done_fn *done;
	void *user;
};

static void add_object(json_t *by_resource, const char *id, json_t *object)
{
	json_t *objects = json_object_get(by_resource, id);

	if (objects == NULL) {
		objects = json_array();
		json_object_set_new(by_resource, id, objects);
	}
	json_array_append(objects, object);
}

/* `ids`: the resource ids of the label's values; NULL: the values are ids. */
static json_t *index_by_resource(const json_t *items, const char *label, const json_t *ids)
{
	json_t *by_resource = json_object();
	size_t i;
	json_t *item;

	json_array_foreach(items, i, item)
	{
		const char *value =
			json_string_value(json_object_get(json_at(item, "metadata.labels"), label));
		const char *id = value != NULL && ids != NULL
					 ? json_string_value(json_object_get(ids, value))
					 : value;
		if (id != NULL)
			add_object(by_resource, id, item);
	}
	return by_resource;
}

static void list_done(void *user, const struct kube_answer *answer)
{
	struct list *list = user;
	struct observation *o = list->observation;
	bool ours = list != &o->lists[INSTANCE_CLAIMS];

	if (answer->date > o->date)
		o->date = answer->date;
	if (answer->ok)
		list->by_resource = index_by_resource(json_object_get(answer->body, "items"),
						      list->label, ours ? NULL : o->ids);
	else
		list->err = answer->err;
	if (--o->pending == 0)
		o->done(o->user);
}

/* Returns "label in (value,value)": the namespace's other objects would be read for nothing. If
 * there are too many for a URL, selects all objects with the label. The caller frees. */
static char *selector_of(const char *label, const char *const *values, size_t count)
{
	enum { VALUES_MAX = 32 };
	CLEANUP(buf_release) struct buf list = BUF_INIT(4096);

	if (count > VALUES_MAX)
		return mem_strdup(label);
	if (count == 1)
		return mem_printf("%s=%s", label, values[0]);
	for (size_t i = 0; i < count; i++) {
		(void)buf_append(&list, ",", i > 0 ? 1 : 0, NULL);
		(void)buf_append(&list, values[i], strlen(values[i]), NULL);
	}
	return mem_printf("%s in (%s)", label, list.data);
}

static char *select_resources(const struct observe_subject *subjects, size_t count)
{
	CLEANUP(cleanup_free) const char **ids = mem_calloc(count, sizeof(*ids));

	for (size_t i = 0; i < count; i++)
		ids[i] = subjects[i].id;
	return selector_of(MANIFEST_LABEL_RESOURCE, ids, count);
}

/* Selects by the instances, and fills `ids` with their resources. */
static char *select_instances(const struct observe_subject *subjects, size_t count, json_t *ids)
{
	CLEANUP(cleanup_free) const char **instances = mem_calloc(count, sizeof(*instances));
	size_t found = 0;

	for (size_t i = 0; i < count; i++) {
		if (subjects[i].instance == NULL)
			continue;
		instances[found++] = subjects[i].instance;
		json_object_set_new(ids, subjects[i].instance, json_string(subjects[i].id));
	}
	return selector_of(OBSERVE_INSTANCE, instances, found);
}

/* What conclusions are drawn from, of objects that need not be compared: see kube/filter.h. */
#define METADATA                                                                                   \
	"metadata", "name", "uid", "resourceVersion", "labels", MANIFEST_LABEL_RESOURCE,           \
		OBSERVE_INSTANCE, "deletionTimestamp", "deletionGracePeriodSeconds", "finalizers"
static const char *const of_any[] = { METADATA, NULL };
static const char *const of_claims[] = { METADATA, "status", "phase", NULL };
static const char *const of_pods[] = {
	METADATA, "controller-revision-hash", "creationTimestamp", "spec", "nodeName", "status*",
	NULL
};
static const char *const of_anchors[] = {
	METADATA,        "generation", "annotations",    MANIFEST_ANNOTATION_HASH,
	"managedFields", "manager",    "operation",      "time",
	"spec",          "replicas",   "componentSpecs", "stop",
	"status*",       NULL,
};

static struct kube_list list_of(const struct observation *o, unsigned i)
{
	struct kube_list list = { .resource = (enum kube_resource)i,
				  .label_selector = o->resources };
	bool brief = (o->brief & OBSERVE(i)) != 0;

	switch (i) {
	case INSTANCE_CLAIMS:
		list.resource = KUBE_PERSISTENT_VOLUME_CLAIMS;
		list.label_selector = o->instances;
		list.read = of_claims;
		break;
	case KUBE_PERSISTENT_VOLUME_CLAIMS:
		list.read = of_claims;
		break;
	case KUBE_PODS:
		list.read = of_pods;
		break;
	default: /* of a Secret, only the existence matters */
		if ((o->anchors & OBSERVE(i)) != 0) {
			list.read = brief ? of_anchors : NULL;
			break;
		}
		list.metadata_only = i == KUBE_SECRETS || brief;
		list.read = list.metadata_only ? of_any : NULL;
	}
	return list;
}

static void submit(struct observation *o, unsigned i)
{
	bool ours = i != INSTANCE_CLAIMS;
	const struct kube_list query = list_of(o, i);

	o->lists[i].observation = o;
	o->lists[i].label = ours ? MANIFEST_LABEL_RESOURCE : OBSERVE_INSTANCE;
	kube_submit_list(o->client, o->target, &query, list_done, &o->lists[i]);
}

static void submit_each(struct observation *o, unsigned lists)
{
	for (unsigned i = 0; i < LIST_COUNT; i++)
		o->pending += (lists & OBSERVE(i)) != 0;
	for (unsigned i = 0; i < LIST_COUNT; i++) {
		if ((lists & OBSERVE(i)) != 0)
			submit(o, i);
	}
}

struct observation *observation_start(struct kube_client *client, struct kube_target *target,
				      const struct observe_query *query, observe_done_fn *done,
				      void *user)
{
	struct observation *o = mem_calloc(1, sizeof(*o));

	o->client = client;
	o->target = target;
	o->done = done;
	o->user = user;
	o->brief = query->lists & query->brief;
	o->anchors = query->anchors;
	o->ids = json_object();
	o->resources = select_resources(query->subjects, query->count);
	o->instances = select_instances(query->subjects, query->count, o->ids);
	submit_each(o, query->lists);
	return o;
}

void observation_complete(struct observation *o, unsigned lists)
{
	o->brief &= ~lists;
	for (unsigned i = 0; i < LIST_COUNT; i++) {
		if ((lists & OBSERVE(i)) != 0)
			json_decref(STEAL(o->lists[i].by_resource));
	}
	submit_each(o, lists);
}

unsigned observation_brief(const struct observation *o)
{
	return o->brief;
}

static const char *list_name(unsigned i)
{
	return i == INSTANCE_CLAIMS ? "instanceclaims"
				    : kube_resource_plural((enum kube_resource)i);
}

struct observation *observation_from_json(const json_t *lists, time_t date)
{
	struct observation *o = mem_calloc(1, sizeof(*o));

	o->date = date;
	for (unsigned i = 0; i < LIST_COUNT; i++) {
		const json_t *items = json_object_get(lists, list_name(i));
		if (items != NULL)
			o->lists[i].by_resource =
				index_by_resource(items, MANIFEST_LABEL_RESOURCE, NULL);
	}
	return o;
}

void observation_free(struct observation *o)
{
	if (o == NULL)
		return;
	for (unsigned i = 0; i < LIST_COUNT; i++)
		json_decref(o->lists[i].by_resource);
	json_decref(o->ids);
	free(o->resources);
	free(o->instances);
	free(o);
}

int observation_check(const struct observation *o, unsigned lists, struct err *e)
{
	for (unsigned i = 0; i < LIST_COUNT; i++) {
		const struct list *list = &o->lists[i];
		if ((lists & OBSERVE(i)) != 0 && list->by_resource == NULL) {
			if (e != NULL)
				*e = list->err;
			return -1;
		}
	}
	return 0;
}

time_t observation_date(const struct observation *o)
{
	return o->date;
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
		if (strcmp(json_text_at(object, "metadata.name"), name) == 0)
			return object;
	}
	return NULL;
}

const json_t *observation_claims(const struct observation *o, const char *resource_id)
{
	const json_t *ours = observation_of(o, KUBE_PERSISTENT_VOLUME_CLAIMS, resource_id);

	return ours != NULL ? ours
			    : json_object_get(o->lists[INSTANCE_CLAIMS].by_resource, resource_id);
}
