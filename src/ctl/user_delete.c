/* fsactl user delete: shows what will be lost, and begins the deletion. The reconciler does the
 * rest. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "ctl/administrator.h"
#include "ctl/output.h"
#include "ctl/row.h"
#include "store/admin.h"
#include "store/deletion.h"

static const struct output_column cost_fields[] = {
	{ "name", "user" },           { "deletedAt", "being deleted since" },
	{ "projects", "projects" },   { "sandboxes", "sandboxes" },
	{ "databases", "databases" }, { "variables", "variables" },
	{ "sessions", "sessions" },   { "server", "cluster" },
};

static const struct output_column place_columns[] = {
	{ "kind", "KIND" },       { "name", "NAME" },     { "namespace", "NAMESPACE" },
	{ "server", "SERVER" },   { "volume", "VOLUME" }, { "status", "STATUS" },
	{ "causeCode", "CAUSE" },
};

struct deletion {
	char id[STORE_ID_LENGTH + 1];
	json_t *cost;
	bool forget;
};

static void deletion_clear(struct deletion *d)
{
	json_decref(STEAL(d->cost));
}

/* Reads everything that will be lost, as one object. */
static int read_cost(struct db *db, struct deletion *d, struct err *e)
{
	CLEANUP(json_decrefp) json_t *users = NULL;
	CLEANUP(json_decrefp) json_t *clusters = NULL;

	if (deletion_cost(db, d->id, &d->cost, e) < 0 || admin_users(db, d->id, &users, e) < 0 ||
	    admin_clusters(db, d->id, &clusters, e) < 0)
		return -1;
	json_t *user = json_array_get(users, 0);
	json_t *cluster = json_array_get(clusters, 0);
	(void)json_object_set(d->cost, "id", json_object_get(user, "id"));
	(void)json_object_set(d->cost, "name", json_object_get(user, "name"));
	(void)json_object_set(d->cost, "sessions", json_object_get(user, "sessions"));
	(void)json_object_set(d->cost, "deletedAt", json_object_get(user, "deletedAt"));
	json_t *server = cluster ? json_object_get(cluster, "server") : json_null();
	(void)json_object_set(d->cost, "server", server);
	return 0;
}

static void print_cost(const struct deletion *d)
{
	output_fields(cost_fields, ARRAY_SIZE(cost_fields), d->cost);
	output_table(d->forget ? "left behind in the cluster, with volumes, Secrets, Services and "
				 "Ingresses of these names"
			       : "deleted in the cluster, with all files and rows",
		     place_columns, ARRAY_SIZE(place_columns), json_object_get(d->cost, "places"));
}

/* At a terminal, the name has to be typed; otherwise --yes is required. */
static bool is_confirmed(const struct call *call, const struct deletion *d)
{
	const char *name = row_text(d->cost, "name");
	char line[256];

	if (call->options[OPTION_YES] != NULL)
		return true;
	if (call->options[OPTION_JSON] != NULL || !isatty(STDIN_FILENO)) {
		if (call->options[OPTION_JSON] == NULL)
			(void)puts("\nNothing was done: --yes does it.");
		return false;
	}
	(void)printf("\nThis cannot be undone. Type the user's name to go on: ");
	(void)fflush(stdout);
	if (fgets(line, sizeof(line), stdin) == NULL)
		return false;
	line[strcspn(line, "\n")] = '\0';
	if (strcmp(line, name) == 0)
		return true;
	(void)puts("That is another name: nothing was done.");
	return false;
}

static int carry_out(struct db *db, const struct deletion *d, struct err *e)
{
	CLEANUP(db_rollback_guard) struct db *tx = NULL;
	CLEANUP(json_decrefp)
	json_t *detail = json_pack("{s:s}", "name", row_text(d->cost, "name"));

	if (d->forget)
		(void)json_object_set(detail, "leftBehind", json_object_get(d->cost, "places"));
	if (db_begin(db, &tx, e) < 0 ||
	    (d->forget ? deletion_forget(tx, d->id, e) : deletion_ask(tx, d->id, e)) < 0 ||
	    administrator_note_detail(tx, d->forget ? "admin.user.forget" : "admin.user.delete",
				      "user", d->id, detail, e) < 0 ||
	    deletion_finish(tx, e) < 0)
		return -1;
	return db_commit(&tx, e);
}

/* Prints the result. */
static int report(const struct call *call, struct db *db, struct deletion *d, struct err *e)
{
	CLEANUP(json_decrefp) json_t *users = NULL;

	if (admin_users(db, d->id, &users, e) < 0)
		return -1;
	bool gone = json_array_size(users) == 0;
	(void)json_object_set_new(d->cost, "gone", json_boolean(gone));
	if (output_json(call, d->cost))
		return 0;
	if (gone)
		(void)printf("\n%s is gone\n", d->id);
	else
		(void)printf("\n%s cannot log in any more, and goes when the last of the above is "
			     "gone from the cluster: fsactl user show %s\n",
			     d->id, d->id);
	return 0;
}

int command_user_delete(const struct call *call, struct err *e)
{
	CLEANUP(db_freep) struct db *db = call_database(call);
	CLEANUP(deletion_clear)
	struct deletion d = { .forget = call->options[OPTION_FORGET] != NULL };

	if (admin_find_user(db, call->arguments[0], d.id, e) < 0 || read_cost(db, &d, e) < 0)
		return -1;
	if (call->options[OPTION_JSON] == NULL)
		print_cost(&d);
	if (!is_confirmed(call, &d)) {
		(void)output_json(call, d.cost);
		return 0;
	}
	if (carry_out(db, &d, e) < 0)
		return -1;
	return report(call, db, &d, e);
}
