/* Projects of version 0.4, with their variables and parts. They are imported as stopped, and
 * nothing changes in the cluster: a database keeps its name, and so its data, and is taken over
 * when it is started; a sandbox is made anew, because volumes have a different form here. */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/mem.h"
#include "ctl/import.h"
#include "ctl/row.h"
#include "domain/project.h"
#include "base/quantity.h"
#include "store/cluster.h"
#include "store/contexts.h"
#include "store/environment.h"
#include "store/new_part.h"

enum {
	GITHUB_REPO_MAX = 255,
	SEALED_MAX = 65536,
};

struct importing {
	struct import *import;
	const json_t *row; /* of the project */
	const char *name;
	char id[STORE_ID_LENGTH + 1], user_id[STORE_ID_LENGTH + 1];
	char kube_name[PROJECT_KUBE_NAME_MAX + 1];
};

static void report(const struct importing *p, const char *what, const char *name,
		   const char *result, const char *reason)
{
	CLEANUP(cleanup_free) char *shown = mem_printf("%s: %s", p->name, name);

	import_say(p->import, what, shown, result, reason);
}

static void report_outcome(const struct importing *p, const char *what, const char *name,
			   enum import_outcome outcome, const char *taken)
{
	CLEANUP(cleanup_free) char *shown = mem_printf("%s: %s", p->name, name);

	import_say_outcome(p->import, what, shown, outcome, taken);
}

static bool is_leaving(const json_t *row)
{
	const char *status = row_text(row, "status");

	return strcmp(status, "TERMINATED") == 0 || strcmp(status, "TERMINATING") == 0;
}

static bool is_of(const struct importing *p, const json_t *part)
{
	return strcmp(row_text(part, "projectId"), row_text(p->row, "id")) == 0;
}

/* ---- variables ------------------------------------------------------------------------------- */

static const char *category_of(const json_t *row)
{
	const char *category = row_text(row, "category");

	for (size_t i = 0; i < environment_category_count; i++) {
		if (strcmp(environment_categories[i], category) == 0)
			return environment_categories[i];
	}
	return "general";
}

/* `bytes`: the sealed size of the variables so far. */
static int import_one_variable(const struct importing *p, const json_t *row, size_t *bytes,
			       struct err *e)
{
	const char *key = row_text(row, "key");
	const char *value = row_text(row, "value");
	CLEANUP(cleanup_free) char *context = mem_printf(CONTEXT_ENVIRONMENT, p->id, key);
	CLEANUP(buf_release) struct buf sealed = BUF_INIT(SEALED_MAX);
	char id[STORE_ID_LENGTH + 1];
	enum import_outcome outcome;
	struct err failure;

	if (environment_key_check(key, &failure) < 0 ||
	    environment_value_check(value, strlen(value), &failure) < 0) {
		bool reserved = strcmp(failure.code, "RESERVED_ENVIRONMENT_KEY") == 0;
		report(p, "variable", key, reserved ? "skipped" : "refused", failure.message);
		return 0;
	}
	if (seal_own(p->import->owner_private, context, value, strlen(value), &sealed, e) < 0)
		return -1;
	*bytes += sealed.length;
	if (*bytes > VARIABLES_SEALED_MAX) {
		report(p, "variable", key, "refused",
		       "a project's variables are too large together");
		return 0;
	}
	import_id("Environment", row_text(row, "id"), id);
	const struct import_variable variable = {
		.id = id,
		.project_id = p->id,
		.key = key,
		.category = category_of(row),
		.is_secret = json_is_true(json_object_get(row, "isSecret")),
		.value_sealed = sealed.data,
		.value_sealed_length = sealed.length,
	};
	if (import_variable(p->import->tx, &variable, &outcome, e) < 0)
		return -1;
	report_outcome(p, "variable", key, outcome, "there is one of this name");
	return 0;
}

static int import_variables(const struct importing *p, struct err *e)
{
	unsigned count = 0;
	size_t bytes = 0, n;
	json_t *row;

	json_array_foreach(p->import->tables[ORIGINAL_ENVIRONMENTS], n, row)
	{
		if (!is_of(p, row))
			continue;
		if (++count > VARIABLES_MAX)
			report(p, "variable", row_text(row, "key"), "refused",
			       "a project has at most 256 variables");
		else if (import_one_variable(p, row, &bytes, e) < 0)
			return -1;
	}
	return 0;
}

/* ---- sandbox --------------------------------------------------------------------------------- */

static int seal_for_sandbox(const void *user, const char *context, const void *plain, size_t length,
			    struct buf *ret_sealed, struct err *e)
{
	const struct importing *p = user;

	return seal_own(p->import->owner_private, context, plain, length, ret_sealed, e);
}

/* Imports it as a new one: names, hosts, image and sizes are those of this site. */
static int import_one_sandbox(const struct importing *p, const json_t *row, struct err *e)
{
	CLEANUP(new_sandbox_clear) struct new_sandbox sandbox = { .id = "" };
	char id[STORE_ID_LENGTH + 1];
	enum import_outcome outcome;

	import_id("Sandbox", row_text(row, "id"), id);
	if (new_sandbox_init(&sandbox, id, seal_for_sandbox, p, e) < 0)
		return -1;
	if (import_sandbox(p->import->tx, p->user_id, p->id, &sandbox.row, &outcome, e) < 0)
		return -1;
	report_outcome(p, "sandbox", row_text(row, "sandboxName"), outcome,
		       "a generated name is in use: make the sandbox in the project");
	return 0;
}

/* ---- database -------------------------------------------------------------------------------- */

/* RFC 1035, as the schema requires. */
static bool is_object_name(const char *name)
{
	static const char lower[] = "abcdefghijklmnopqrstuvwxyz";
	size_t length = strlen(name);

	return length > 0 && length <= RESOURCE_NAME_MAX && strchr(lower, name[0]) != NULL &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == length &&
	       name[length - 1] != '-';
}

/* Returns its former size, as volumes cannot shrink; this site's if that is no quantity. */
static const char *size_of(const struct importing *p, const json_t *row, const char *member,
			   enum conf_option otherwise)
{
	const char *size = row_text(row, member);

	return quantity_is_valid(size) ? size : conf_string(p->import->call->conf, otherwise);
}

static const char *database_refusal(const json_t *row, const char *namespace)
{
	if (!is_object_name(row_text(row, "databaseName")))
		return "its name in the cluster cannot be kept: move the data by pg_dump";
	if (namespace == NULL || strcmp(row_text(row, "k8sNamespace"), namespace) != 0)
		return "it is in another namespace than the owner's kubeconfig is for";
	return NULL;
}

static int import_one_database(const struct importing *p, const json_t *row, const char *namespace,
			       struct err *e)
{
	const char *name = row_text(row, "databaseName");
	const char *refusal = database_refusal(row, namespace);
	char id[STORE_ID_LENGTH + 1];
	enum import_outcome outcome;

	if (refusal != NULL) {
		report(p, "database", name, "refused", refusal);
		return 0;
	}
	import_id("Database", row_text(row, "id"), id);
	const struct import_database database = {
		.id = id,
		.name = name,
		.version = conf_string(p->import->call->conf, CONF_POSTGRES_VERSION),
		.storage_size = size_of(p, row, "storageSize", CONF_POSTGRES_STORAGE),
		.cpu_request = size_of(p, row, "cpuRequest", CONF_POSTGRES_CPU_REQUEST),
		.cpu_limit = size_of(p, row, "cpuLimit", CONF_POSTGRES_CPU_LIMIT),
		.memory_request = size_of(p, row, "memoryRequest", CONF_POSTGRES_MEMORY_REQUEST),
		.memory_limit = size_of(p, row, "memoryLimit", CONF_POSTGRES_MEMORY_LIMIT),
	};
	if (import_database(p->import->tx, p->user_id, p->id, &database, &outcome, e) < 0)
		return -1;
	report_outcome(p, "database", name, outcome, "another project here has this database");
	return 0;
}

/* ---- projects -------------------------------------------------------------------------------- */

/* Returns the oldest of a project's rows that is not being deleted; the others are reported. */
static const json_t *first_part(const struct importing *p, enum original_table table,
				const char *what, const char *name_member)
{
	const json_t *first = NULL;
	size_t n;
	json_t *row;

	json_array_foreach(p->import->tables[table], n, row)
	{
		if (!is_of(p, row) || is_leaving(row))
			continue;
		if (first == NULL)
			first = row;
		else
			report(p, what, row_text(row, name_member), "refused",
			       "a project has one of them here");
	}
	return first;
}

static int import_parts(const struct importing *p, const char *namespace, struct err *e)
{
	const json_t *sandbox = first_part(p, ORIGINAL_SANDBOXES, "sandbox", "sandboxName");
	const json_t *database = first_part(p, ORIGINAL_DATABASES, "database", "databaseName");

	if (import_variables(p, e) < 0 ||
	    (sandbox != NULL && import_one_sandbox(p, sandbox, e) < 0))
		return -1;
	return database != NULL ? import_one_database(p, database, namespace, e) : 0;
}

/* Checks what a project needs here: an allowed name, and a cluster. */
static int check_project(struct importing *p, struct cluster_rows *ret_cluster, struct err *e)
{
	if (project_name_check(p->name, e) < 0)
		return -1;
	project_kube_name(p->name, p->kube_name);
	if (strlen(row_text(p->row, "githubRepo")) > GITHUB_REPO_MAX) {
		(void)err_set(e, ERR_INVALID, NULL, "the repository's name is too long");
		return -1;
	}
	return cluster_get(p->import->tx, p->user_id, p->user_id, ret_cluster, e);
}

static int import_one_project(struct import *i, const json_t *row, struct err *e)
{
	struct importing p = { .import = i, .row = row, .name = row_text(row, "name") };
	CLEANUP(cluster_rows_clear) struct cluster_rows cluster = { 0 };
	enum import_outcome outcome;
	struct err failure;

	if (is_leaving(row)) {
		import_say(i, "project", p.name, "skipped", "it was being deleted");
		return 0;
	}
	import_id("Project", row_text(row, "id"), p.id);
	import_id("User", row_text(row, "userId"), p.user_id);
	if (check_project(&p, &cluster, &failure) < 0) {
		if (failure.kind == ERR_UNAVAILABLE || failure.kind == ERR_INTERNAL) {
			*e = failure;
			return -1;
		}
		import_say(i, "project", p.name, "refused", failure.message);
		return 0;
	}
	const struct import_project project = {
		.id = p.id,
		.user_id = p.user_id,
		.name = p.name,
		.description = row_text_or_null(row, "description"),
		.kube_name = p.kube_name,
		.github_repo = row_text_or_null(row, "githubRepo"),
		.created_at = row_text(row, "createdAt"),
	};
	if (import_project(i->tx, &project, &outcome, e) < 0)
		return -1;
	import_say_outcome(i, "project", p.name, outcome,
			   "its owner has another project of this name");
	/* A project that was imported before may have been changed since. */
	return outcome == IMPORT_ADDED ? import_parts(&p, cluster.items[0].namespace, e) : 0;
}

int import_projects(struct import *i, struct err *e)
{
	size_t n;
	json_t *row;

	json_array_foreach(i->tables[ORIGINAL_PROJECTS], n, row)
	{
		if (import_one_project(i, row, e) < 0)
			return -1;
	}
	return 0;
}
