#include "write.h"

#include <stdio.h>
#include <stdint.h>
#include <string.h>

#include "admission.h"
#include "base/cleanup.h"
#include "controllers.h"
#include "defaults.h"
#include "effects.h"
#include "validate.h"

#define FOREGROUND "foregroundDeletion"
#define ORPHAN     "orphan"

static void log_write(struct sim *sim, const struct change *c, const struct object *o,
		      const char *effect)
{
	counters_write(sim->counters, &(struct write) {
					      .user = user_name(c->user),
					      .verb = c->verb,
					      .resource = o->kind->plural,
					      .namespace = o->namespace,
					      .name = o->name,
					      .uid = o->uid,
					      .version = store_version(sim->store),
					      .effect = effect,
				      });
}

static struct change by_system(const struct sim *sim, const char *verb)
{
	return (struct change) { .user = users_system(sim->users),
				 .verb = verb,
				 .subresource = "" };
}

/* Runs mutating webhooks, which are not called for a status. */
static void admit_mutate(const struct sim *sim, const struct change *c, const struct kind *kind,
			 json_t *json)
{
	if (c->subresource[0] == '\0' && !user_is_admin(c->user))
		effects_admit(sim->effects, kind->plural,
			      json_path_text(json, "metadata.namespace"),
			      json_path_text(json, "metadata.name"), json);
}

/* ---- creation -------------------------------------------------------------------------------- */

static void fill_metadata(struct sim *sim, const struct kind *kind, json_t *json)
{
	json_t *metadata = json_object_get(json, "metadata");
	const char *prefix = json_path_text(metadata, "generateName");
	char uid[UID_LENGTH + 1], suffix[6], name[300], now[TIME_LENGTH];

	if (json_path_text(metadata, "name")[0] == '\0' && prefix[0] != '\0') {
		rng_text(&sim->rng, suffix, 5);
		snprintf(name, sizeof(name), "%.253s%s", prefix, suffix);
		json_object_set_new(metadata, "name", json_string(name));
	}
	rng_uid(&sim->rng, uid);
	json_object_set_new(metadata, "uid", json_string(uid));
	json_object_set_new(metadata, "creationTimestamp", json_string(sim_time(0, now)));
	json_object_del(metadata, "deletionTimestamp");
	json_object_del(metadata, "deletionGracePeriodSeconds");
	if (kind->has_generation)
		json_object_set_new(metadata, "generation", json_integer(1));
}

static int check_namespace(const struct sim *sim, const struct kind *kind, const json_t *json,
			   struct refusal *r)
{
	const char *name = json_path_text(json, "metadata.namespace");
	const struct object *namespace = store_get(sim->store, KIND_NAMESPACE, "", name);

	if (!kind->namespaced)
		return 0;
	if (namespace == NULL)
		return refuse_not_found(r, kind_get(KIND_NAMESPACE), name);
	return namespace->deleting
		       ? refuse_terminating(r, kind, json_path_text(json, "metadata.name"), name)
		       : 0;
}

int write_create(struct sim *sim, const struct kind *kind, json_t *json, const struct change *c,
		 struct object **ret_object, struct refusal *r)
{
	*ret_object = NULL;
	fill_metadata(sim, kind, json);
	if (kind->has_status && !user_is_admin(c->user))
		json_object_del(json, "status");
	admit_mutate(sim, c, kind, json);
	defaults_fill(sim, kind, NULL, json);
	const char *name = json_path_text(json, "metadata.name");
	const char *namespace = json_path_text(json, "metadata.namespace");
	if (check_namespace(sim, kind, json, r) < 0 ||
	    admit_debt(sim, c->user, kind, namespace, name, r) < 0 ||
	    validate(kind, NULL, json, r) < 0)
		return -1;
	if (store_get(sim->store, kind->id, namespace, name) != NULL)
		return refuse_exists(r, kind, name);
	if (admit_create(sim, kind, json, r) < 0)
		return -1;
	if (c->dry_run)
		return 0;
	*ret_object = store_put(sim->store, kind, json);
	log_write(sim, c, *ret_object, "created");
	return 0;
}

/* ---- change ---------------------------------------------------------------------------------- */

static const char *const kept_metadata[] = {
	"name",
	"namespace",
	"uid",
	"creationTimestamp",
	"generation",
	"deletionTimestamp",
	"deletionGracePeriodSeconds",
};

static void keep(json_t *to, const json_t *from, const char *member)
{
	json_t *value = json_object_get(from, member);

	if (value != NULL)
		json_object_set(to, member, value);
	else
		json_object_del(to, member);
}

/* Writing the main resource keeps the status; writing the status keeps the rest. */
static void keep_other_part(const struct kind *kind, const json_t *old, json_t *json,
			    const char *subresource)
{
	const char *member;
	json_t *value;

	if (subresource[0] == '\0') {
		if (kind->has_status)
			keep(json, old, "status");
		return;
	}
	json_object_foreach((json_t *)(uintptr_t)old, member, value)
	{
		if (strcmp(member, "status") != 0 && strcmp(member, "metadata") != 0)
			json_object_set(json, member, value);
	}
}

static void keep_metadata(const json_t *old, json_t *json)
{
	const json_t *from = json_object_get(old, "metadata");
	json_t *to = json_object_get(json, "metadata");

	for (size_t i = 0; i < ARRAY_SIZE(kept_metadata); i++)
		keep(to, from, kept_metadata[i]);
}

static bool is_generation_field(const struct kind *kind, const char *member)
{
	if (strcmp(member, "metadata") == 0 || strcmp(member, "status") == 0)
		return false;
	return kind->is_custom || strcmp(member, "spec") == 0;
}

/* Counts changes of the spec, so that a status can say which one it is about. */
static void count_generation(const struct kind *kind, const json_t *old, json_t *json)
{
	const char *member;
	json_t *value;

	if (!kind->has_generation)
		return;
	json_object_foreach(json, member, value)
	{
		if (!is_generation_field(kind, member) ||
		    json_equal(value, json_object_get(old, member)))
			continue;
		json_path_set(json, "metadata.generation",
			      json_integer(json_path_number(old, "metadata.generation", 0) + 1));
		return;
	}
}

static bool is_same(const json_t *old, json_t *json)
{
	json_path_set(json, "metadata.resourceVersion",
		      json_incref(json_path(old, "metadata.resourceVersion")));
	json_object_del(json, "apiVersion");
	json_object_del(json, "kind");
	return json_equal(old, json);
}

static bool are_same_managers(const json_t *a, const json_t *b)
{
	CLEANUP(json_decrefp) json_t *left = json_deep_copy(a);
	CLEANUP(json_decrefp) json_t *right = json_deep_copy(b);
	size_t i;
	json_t *entry;

	json_array_foreach(left, i, entry)
	{
		json_object_del(entry, "time");
	}
	json_array_foreach(right, i, entry)
	{
		json_object_del(entry, "time");
	}
	return json_equal(left, right);
}

/* If a manager's entry differs only in its time, the old time is kept. */
static void keep_times(const json_t *old, json_t *json)
{
	json_t *before = json_path(old, "metadata.managedFields");
	CLEANUP(json_decrefp)
	json_t *after = json_incref(json_path(json, "metadata.managedFields"));

	if (before == NULL || after == NULL || !are_same_managers(before, after))
		return;
	json_path_set(json, "metadata.managedFields", json_incref(before));
	if (!is_same(old, json))
		json_path_set(json, "metadata.managedFields", json_incref(after));
}

static bool loses_last_finalizer(const struct object *before, const json_t *json)
{
	return before->deleting && before->has_finalizers && before->kind->id != KIND_NAMESPACE &&
	       json_array_size(json_path(json, "metadata.finalizers")) == 0;
}

int write_update(struct sim *sim, struct object *before, json_t *json, const struct change *c,
		 struct object **ret_object, struct refusal *r)
{
	const struct kind *kind = before->kind;
	CLEANUP(json_decrefp) json_t *old = object_json(before);

	keep_metadata(old, json);
	keep_other_part(kind, old, json, c->subresource);
	admit_mutate(sim, c, kind, json);
	defaults_fill(sim, kind, old, json);
	if (admit_debt(sim, c->user, kind, before->namespace, before->name, r) < 0 ||
	    validate(kind, old, json, r) < 0)
		return -1;
	count_generation(kind, old, json);
	keep_times(old, json);
	*ret_object = before;
	if (is_same(old, json))
		return 0;
	*ret_object = NULL;
	if (c->dry_run)
		return 0;
	if (loses_last_finalizer(before, json)) {
		write_remove(sim, before);
		return 0;
	}
	*ret_object = store_put(sim->store, kind, json);
	log_write(sim, c, *ret_object, "changed");
	return 0;
}

struct object *write_status(struct sim *sim, struct object *before, json_t *json)
{
	CLEANUP(json_decrefp) json_t *old = object_json(before);

	if (is_same(old, json))
		return before;
	return store_put(sim->store, before->kind, json);
}

/* ---- deletion -------------------------------------------------------------------------------- */

void write_remove(struct sim *sim, struct object *o)
{
	struct change c = by_system(sim, "delete");

	log_write(sim, &c, o, "deleted");
	store_remove(sim->store, o);
}

void write_unfinalize(struct sim *sim, struct object *o, const char *finalizer)
{
	CLEANUP(json_decrefp) json_t *json = object_json(o);
	json_t *finalizers = json_path(json, "metadata.finalizers");

	for (size_t i = json_array_size(finalizers); i-- > 0;) {
		if (strcmp(json_string_value(json_array_get(finalizers, i)), finalizer) == 0)
			json_array_remove(finalizers, i);
	}
	if (json_array_size(finalizers) == 0) {
		if (o->deleting && o->has_finalizers) {
			write_remove(sim, o);
			return;
		}
		json_object_del(json_object_get(json, "metadata"), "finalizers");
	}
	write_status(sim, o, json);
}

static int check_preconditions(const struct object *o, const struct delete_options *options,
			       struct refusal *r)
{
	char version[24];

	snprintf(version, sizeof(version), "%llu", (unsigned long long)o->version);
	if (options->uid != NULL && strcmp(options->uid, o->uid) != 0)
		return refuse_precondition(
			r, o->kind, o->name,
			"the UID in the precondition (%s) does not match the UID "
			"in record (%s). The object might have been deleted and "
			"then recreated",
			options->uid, o->uid);
	if (options->version != NULL && strcmp(options->version, version) != 0)
		return refuse_precondition(r, o->kind, o->name,
					   "the ResourceVersion in the precondition (%s) does not "
					   "match the ResourceVersion in record (%s). The object "
					   "might have been modified",
					   options->version, version);
	return 0;
}

/* Foreground and orphan deletion are finalizers, which the garbage collector removes. */
static void add_finalizer(json_t *json, const char *propagation)
{
	const char *finalizer = NULL;

	if (propagation != NULL && strcmp(propagation, "Foreground") == 0)
		finalizer = FOREGROUND;
	if (propagation != NULL && strcmp(propagation, "Orphan") == 0)
		finalizer = ORPHAN;
	if (finalizer == NULL)
		return;
	if (json_path(json, "metadata.finalizers") == NULL)
		json_path_set(json, "metadata.finalizers", json_array());
	json_array_append_new(json_path(json, "metadata.finalizers"), json_string(finalizer));
}

/* Returns the grace period in seconds; 0 for a pod without a node, and for other kinds. */
static long long grace_of(const struct object *o, const json_t *json, long long asked)
{
	if (o->kind->id != KIND_POD || json_path_text(json, "spec.nodeName")[0] == '\0')
		return 0;
	return asked >= 0 ? asked
			  : json_path_number(json, "spec.terminationGracePeriodSeconds", 30);
}

static struct object *begin_deletion(struct sim *sim, struct object *o, json_t *json,
				     long long grace_s)
{
	char at[TIME_LENGTH];
	long long generation = json_path_number(json, "metadata.generation", 0);

	json_path_set(json, "metadata.deletionTimestamp", json_string(sim_time(grace_s, at)));
	json_path_set(json, "metadata.deletionGracePeriodSeconds", json_integer(grace_s));
	if (generation > 0)
		json_path_set(json, "metadata.generation", json_integer(generation + 1));
	return store_put(sim->store, o->kind, json);
}

/* The Namespace exists until its contents are gone; see namespace.c. */
static struct object *begin_end_of_namespace(struct sim *sim, struct object *o, json_t *json)
{
	char at[TIME_LENGTH];

	json_path_set(json, "metadata.deletionTimestamp", json_string(sim_time(0, at)));
	json_path_set(json, "status.phase", json_string("Terminating"));
	return store_put(sim->store, o->kind, json);
}

int write_delete(struct sim *sim, struct object *o, const struct delete_options *options,
		 const struct change *c, struct object **ret_left, struct refusal *r)
{
	CLEANUP(json_decrefp) json_t *json = object_json(o);

	*ret_left = o;
	if (check_preconditions(o, options, r) < 0)
		return -1;
	if (o->kind->id == KIND_NAMESPACE) {
		if (c->dry_run || o->deleting)
			return 0;
		log_write(sim, c, o, "deleted");
		*ret_left = begin_end_of_namespace(sim, o, json);
		return 0;
	}
	long long grace = grace_of(o, json, options->grace_s);
	if (c->dry_run || (o->deleting && (grace > 0 || o->has_finalizers)))
		return 0;
	add_finalizer(json, options->propagation);
	log_write(sim, c, o, "deleted");
	if (grace == 0 && json_array_size(json_path(json, "metadata.finalizers")) == 0) {
		store_remove(sim->store, o);
		*ret_left = NULL;
		return 0;
	}
	*ret_left = begin_deletion(sim, o, json, grace);
	return 0;
}

void write_collect(struct sim *sim, struct object *o)
{
	struct delete_options options = { .grace_s = -1 };
	struct change c = by_system(sim, "delete");
	struct object *left;
	struct refusal r;

	write_delete(sim, o, &options, &c, &left, &r);
}
