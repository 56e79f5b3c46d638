/* fsactl orphans: objects in clusters without a row, and rows without objects.
 *
 * The clusters are listed before the rows are read: a row is made before its objects, and deleted
 * after them. So an object that was listed, and has no row later, is an orphan. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "ctl/administrator.h"
#include "ctl/clusters.h"
#include "ctl/output.h"
#include "ctl/row.h"
#include "manifest/manifest.h"
#include "reconcile/kind.h"

/* What each cluster is searched for: the types of objects that resources of any kind leave, except
 * pods, which go with the others. */
struct types {
	enum kube_resource list[KUBE_RESOURCE_COUNT];
	size_t count;
};

static struct types searched_types(void)
{
	struct types types = { .count = 0 };
	unsigned owned = 0;

	for (size_t i = 0; i < kind_count; i++)
		owned |= kind_owned(kind_all[i]);
	for (unsigned i = 0; i < KUBE_RESOURCE_COUNT; i++) {
		if (i != KUBE_PODS && (owned & OBSERVE(i)) != 0)
			types.list[types.count++] = (enum kube_resource)i;
	}
	return types;
}

/* One type in one cluster. */
struct listing {
	struct cluster *cluster;
	enum kube_resource type;
	bool answered;
	struct err err; /* if not answered */
	json_t *items;  /* owned */
};

struct search {
	const struct call *call;
	struct db *db;
	struct clusters *clusters;
	struct types types;
	struct listing *listings;
	size_t listing_count;
	json_t *places;   /* rows of resources, by id */
	json_t *findings; /* array */
};

static void search_clear(struct search *s)
{
	for (size_t i = 0; i < s->listing_count; i++)
		json_decref(s->listings[i].items);
	free(s->listings);
	json_decref(s->places);
	json_decref(s->findings);
	clusters_freep(&s->clusters);
	db_free(s->db);
}

/* ---- reading the clusters -------------------------------------------------------------------- */

static void listed(void *user, const struct kube_answer *answer)
{
	struct listing *l = user;

	/* A cluster has one release of KubeBlocks, or none. */
	l->answered = answer->ok || ((l->type == KUBE_CLUSTERS || l->type == KUBE_CLUSTERS_V1) &&
				     strcmp(answer->err.code, "RESOURCE_TYPE_NOT_FOUND") == 0);
	if (answer->ok)
		l->items = json_incref(json_object_get(answer->body, "items"));
	else
		l->err = answer->err;
}

static void list_cluster(struct search *s, struct cluster *cluster)
{
	for (size_t k = 0; k < s->types.count; k++) {
		struct listing *l = &s->listings[s->listing_count++];
		const struct kube_list query = {
			.resource = s->types.list[k],
			.label_selector = MANIFEST_SELECTOR,
			.metadata_only = true,
		};
		*l = (struct listing) { .cluster = cluster, .type = s->types.list[k] };
		if (cluster->target == NULL)
			l->err = cluster->err;
		else
			kube_submit_list(clusters_client(s->clusters), cluster->target, &query,
					 listed, l);
	}
}

static void list_clusters(struct search *s)
{
	size_t count = clusters_count(s->clusters);

	s->listings = mem_calloc(count * s->types.count, sizeof(*s->listings));
	for (size_t i = 0; i < count; i++)
		list_cluster(s, clusters_at(s->clusters, i));
	clusters_wait(s->clusters);
}

static int read_places(struct search *s, struct err *e)
{
	CLEANUP(json_decrefp) json_t *rows = NULL;
	size_t i;
	json_t *row;

	if (admin_places(s->db, &rows, e) < 0)
		return -1;
	s->places = json_object();
	json_array_foreach(rows, i, row)
	{
		(void)json_object_set(s->places, row_text(row, "id"), row);
	}
	return 0;
}

/* ---- finding mismatches ---------------------------------------------------------------------- */

/* Users who share a namespace see the same objects. */
static bool is_known(const struct search *s, const char *uid)
{
	size_t i;
	json_t *finding;

	json_array_foreach(s->findings, i, finding)
	{
		if (strcmp(row_text(finding, "uid"), uid) == 0)
			return true;
	}
	return false;
}

static void find_orphans(struct search *s, const struct listing *l)
{
	const struct admin_access *a = l->cluster->access;
	size_t i;
	json_t *item;

	json_array_foreach(l->items, i, item)
	{
		const json_t *metadata = json_object_get(item, "metadata");
		const char *id =
			row_text(json_object_get(metadata, "labels"), MANIFEST_LABEL_RESOURCE);
		bool leaving = json_object_get(metadata, "deletionTimestamp") != NULL;
		if (json_object_get(s->places, id) != NULL ||
		    is_known(s, row_text(metadata, "uid")))
			continue;
		(void)json_array_append_new(
			s->findings,
			json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "finding",
				  "object without a row", "kind", kube_resource_kind(l->type),
				  "name", row_text(metadata, "name"), "namespace", a->namespace,
				  "server", a->server, "owner", a->user_name, "userId", a->user_id,
				  "resourceId", id, "uid", row_text(metadata, "uid"), "state",
				  leaving ? "being deleted" : "left behind"));
	}
}

static void say_unseen(struct search *s, const struct listing *l)
{
	const struct admin_access *a = l->cluster->access;

	(void)json_array_append_new(
		s->findings,
		json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "finding", "cluster not seen", "kind",
			  kube_resource_kind(l->type), "namespace", a->namespace, "server",
			  a->server, "owner", a->user_name, "state", l->err.message));
}

/* Finds the listing that must contain a row's anchor object. */
static const struct listing *anchor_listing(const struct search *s, const json_t *place)
{
	enum resource_kind kind;
	enum database_form form;

	if (!resource_kind_parse(row_text(place, "kind"), &kind) ||
	    !database_form_parse(row_text(place, "form"), &form))
		return NULL;
	enum kube_resource type = kind_anchor(kind_of(kind, form));

	for (size_t i = 0; i < s->listing_count; i++) {
		const struct listing *l = &s->listings[i];
		const struct admin_access *a = l->cluster->access;
		if (l->type == type && strcmp(a->user_id, row_text(place, "userId")) == 0 &&
		    strcmp(a->server, row_text(place, "server")) == 0 &&
		    strcmp(a->namespace, row_text(place, "namespace")) == 0)
			return l;
	}
	return NULL;
}

static bool has_object(const struct listing *l, const char *resource_id)
{
	size_t i;
	json_t *item;

	json_array_foreach(l->items, i, item)
	{
		const json_t *labels = json_object_get(json_object_get(item, "metadata"), "labels");
		if (strcmp(row_text(labels, MANIFEST_LABEL_RESOURCE), resource_id) == 0)
			return true;
	}
	return false;
}

/* For a row whose status says that it is up: returns "" if it is, otherwise what is wrong. */
static const char *judge_place(const struct search *s, const json_t *place)
{
	const struct listing *l = anchor_listing(s, place);

	if (l == NULL) /* the objects of a disabled user are not checked */
		return json_is_true(json_object_get(place, "ownerDisabled"))
			       ? ""
			       : "its owner's kubeconfig is for another place, or there is none";
	if (!l->answered || strcmp(row_text(place, "status"), "RUNNING") != 0 ||
	    has_object(l, row_text(place, "id")))
		return "";
	return "gone from the cluster; made anew at the next look";
}

static void find_widows(struct search *s)
{
	const char *id;
	json_t *place;

	json_object_foreach(s->places, id, place)
	{
		const char *state = judge_place(s, place);
		if (state[0] == '\0')
			continue;
		(void)json_array_append_new(
			s->findings,
			json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "finding",
				  "row without objects", "kind", row_text(place, "kind"), "name",
				  row_text(place, "name"), "namespace",
				  row_text(place, "namespace"), "server", row_text(place, "server"),
				  "owner", row_text(place, "owner"), "resourceId", id, "state",
				  state));
	}
}

/* The same fault of a cluster is reported once, not for each kind. */
static bool is_same_trouble(const struct search *s, size_t i)
{
	const struct listing *l = &s->listings[i];

	return i > 0 && l[-1].cluster == l->cluster && !l[-1].answered &&
	       strcmp(l[-1].err.code, l->err.code) == 0;
}

static void compare(struct search *s)
{
	for (size_t i = 0; i < s->listing_count; i++) {
		if (s->listings[i].answered)
			find_orphans(s, &s->listings[i]);
		else if (!is_same_trouble(s, i))
			say_unseen(s, &s->listings[i]);
	}
	if (s->call->options[OPTION_USER] == NULL)
		find_widows(s);
}

/* ---- deleting -------------------------------------------------------------------------------- */

static void deleted(void *user, const struct kube_answer *answer)
{
	json_t *orphan = user;
	bool gone = answer->ok || answer->err.kind == ERR_KUBE_NOT_FOUND;

	(void)json_object_set_new(orphan, "state",
				  json_string(gone ? "deleted" : answer->err.message));
}

static bool is_orphan(const json_t *finding)
{
	return strcmp(row_text(finding, "state"), "left behind") == 0;
}

/* Returns the cluster through whose kubeconfig an orphan can be reached: if several users share a
 * namespace, the first that works. */
static struct cluster *cluster_of(struct search *s, const json_t *orphan)
{
	for (size_t i = 0; i < clusters_count(s->clusters); i++) {
		struct cluster *c = clusters_at(s->clusters, i);
		if (c->target != NULL &&
		    strcmp(c->access->server, row_text(orphan, "server")) == 0 &&
		    strcmp(c->access->namespace, row_text(orphan, "namespace")) == 0)
			return c;
	}
	return NULL;
}

static void delete_orphan(struct search *s, json_t *orphan)
{
	struct cluster *cluster = cluster_of(s, orphan);

	for (size_t k = 0; k < s->types.count && cluster != NULL; k++) {
		if (strcmp(kube_resource_kind(s->types.list[k]), row_text(orphan, "kind")) == 0)
			kube_submit_delete(clusters_client(s->clusters), cluster->target,
					   s->types.list[k], row_text(orphan, "name"),
					   row_text(orphan, "uid"), deleted, orphan);
	}
}

/* Deletions are recorded in the audit before they are made. */
static int delete_orphans(struct search *s, struct err *e)
{
	CLEANUP(db_rollback_guard) struct db *tx = NULL;
	size_t i;
	json_t *finding;

	if (db_begin(s->db, &tx, e) < 0)
		return -1;
	json_array_foreach(s->findings, i, finding)
	{
		if (is_orphan(finding) &&
		    administrator_note_to(tx, row_text(finding, "userId"), "admin.orphan.delete",
					  row_text(finding, "kind"), row_text(finding, "uid"),
					  e) < 0)
			return -1;
	}
	if (db_commit(&tx, e) < 0)
		return -1;
	json_array_foreach(s->findings, i, finding)
	{
		if (is_orphan(finding))
			delete_orphan(s, finding);
	}
	clusters_wait(s->clusters);
	return 0;
}

/* ---- the command ----------------------------------------------------------------------------- */

static void print_findings(const struct call *call, const json_t *findings)
{
	static const struct output_column columns[] = {
		{ "finding", "FOUND" },       { "kind", "KIND" },     { "name", "NAME" },
		{ "namespace", "NAMESPACE" }, { "server", "SERVER" }, { "owner", "OWNER" },
		{ "resourceId", "RESOURCE" }, { "state", "STATE" },
	};

	if (json_array_size(findings) == 0 && call->options[OPTION_JSON] == NULL)
		(void)puts("no orphans");
	else
		output_list(call, columns, ARRAY_SIZE(columns), findings);
}

/* Whether any finding is left for the operator. */
static bool is_left(const json_t *findings)
{
	size_t i;
	json_t *finding;

	json_array_foreach(findings, i, finding)
	{
		if (strcmp(row_text(finding, "state"), "deleted") != 0)
			return true;
	}
	return false;
}

int command_orphans(const struct call *call, struct err *e)
{
	CLEANUP(search_clear)
	struct search s = { .call = call,
			    .db = call_database(call),
			    .types = searched_types(),
			    .findings = json_array() };
	char user_id[STORE_ID_LENGTH + 1];
	const char *user = call->options[OPTION_USER];

	if (user != NULL && admin_find_user(s.db, user, user_id, e) < 0)
		return -1;
	if (clusters_open(call, s.db, user ? user_id : NULL, &s.clusters, e) < 0)
		return -1;
	list_clusters(&s);
	if (read_places(&s, e) < 0)
		return -1;
	compare(&s);
	if (call->options[OPTION_DELETE] != NULL && delete_orphans(&s, e) < 0)
		return -1;
	print_findings(call, s.findings);
	return is_left(s.findings) ? 1 : 0;
}
