#include "project.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/parse.h"
#include "command/output.h"

enum { POLL_MS = 500, AWAY_MAX_MS = 600 * 1000 /* how long a site may be unreachable */ };

static const char *member(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

const char *project_id(const json_t *project)
{
	return member(project, "id");
}

const char *project_name(const json_t *project)
{
	return member(project, "name");
}

const char *project_status(const json_t *project)
{
	return member(project, "status");
}

const json_t *project_sandbox(const json_t *project)
{
	return json_array_get(json_object_get(project, "sandboxes"), 0);
}

/* An id from a site becomes part of a path, so it must not lead elsewhere. */
static int read_project(struct site *site, const char *id, json_t **ret_project, struct err *e)
{
	if (!parse_is_uuid(id))
		return err_set(e, ERR_INTERNAL, "NOT_A_SITE",
			       "the site's response has an invalid project id");
	CLEANUP(cleanup_free) char *path = mem_printf("/api/projects/%s", id);
	return site_call(site, "GET", path, NULL, ret_project, e);
}

/* The id of the only project with that name. */
static int find_named(const json_t *projects, const char *name, const char **ret_id, struct err *e)
{
	const json_t *project, *found = NULL;
	size_t i;

	json_array_foreach(projects, i, project)
	{
		if (strcmp(project_name(project), name) != 0)
			continue;
		if (found != NULL)
			return err_set(
				e, ERR_CONFLICT, "NAME_AMBIGUOUS",
				"several projects are called \"%s\": %s and %s; say which by "
				"its id",
				name, project_id(found), project_id(project));
		found = project;
	}
	if (found == NULL)
		return err_set(e, ERR_NOT_FOUND, "PROJECT_NOT_FOUND",
			       "there is no project \"%s\"; fsa projects lists them", name);
	*ret_id = project_id(found);
	return 0;
}

static int find(struct site *site, const char *name_or_id, const char *more, json_t **ret_project,
		struct err *e)
{
	const char *id = name_or_id;
	CLEANUP(json_decrefp) json_t *projects = NULL;

	if (!parse_is_uuid(id)) {
		CLEANUP(cleanup_free) char *keyword = site_escape(name_or_id);
		CLEANUP(cleanup_free)
		char *path = mem_printf("/api/projects?keyword=%s%s", keyword, more);
		if (site_call(site, "GET", path, NULL, &projects, e) < 0 ||
		    find_named(projects, name_or_id, &id, e) < 0)
			return -1;
	}
	return read_project(site, id, ret_project, e);
}

int project_find(struct site *site, const char *name_or_id, json_t **ret_project, struct err *e)
{
	return find(site, name_or_id, "", ret_project, e);
}

int project_find_deleted(struct site *site, const char *name_or_id, json_t **ret_project,
			 struct err *e)
{
	return find(site, name_or_id, "&trash=true", ret_project, e);
}

int project_list(struct site *site, json_t **ret_projects, struct err *e)
{
	return site_call(site, "GET", "/api/projects", NULL, ret_projects, e);
}

int project_list_deleted(struct site *site, json_t **ret_projects, struct err *e)
{
	return site_call(site, "GET", "/api/projects?trash=true", NULL, ret_projects, e);
}

int project_restore(struct site *site, const char *id, const char *name, json_t **ret_project,
		    struct err *e)
{
	CLEANUP(cleanup_free) char *path = mem_printf("/api/projects/%s/restore", id);
	CLEANUP(json_decrefp) json_t *body = json_pack("{s:s*}", "name", name);

	if (body == NULL)
		return err_set(e, ERR_INVALID, NULL, "the name is not UTF-8");
	return site_call(site, "POST", path, body, ret_project, e);
}

int project_delete_permanently(struct site *site, const char *id, json_t **ret_answer,
			       struct err *e)
{
	CLEANUP(cleanup_free) char *path = mem_printf("/api/projects/%s/delete", id);
	CLEANUP(json_decrefp) json_t *body = json_pack("{s:b}", "permanent", 1);

	return site_call(site, "POST", path, body, ret_answer, e);
}

static int add_repository(json_t *body, const struct project_new *wanted, struct err *e)
{
	json_t *repository = json_pack("{s:s, s:s*, s:s*}", "url", wanted->repository, "branch",
				       wanted->branch, "folder", wanted->folder);

	if (repository == NULL)
		return err_set(e, ERR_INVALID, NULL,
			       "the repository's address, branch or folder is not UTF-8");
	return json_object_set_new(body, "repository", repository);
}

int project_create(struct site *site, const struct project_new *wanted, json_t **ret_project,
		   struct err *e)
{
	CLEANUP(json_decrefp)
	json_t *body = json_pack("{s:s, s:s*, s:s*, s:s*, s:s*, s:s*, s:b}", "name", wanted->name,
				 "description", wanted->description, "size", wanted->size, "image",
				 wanted->image, "cluster", wanted->cluster, "template",
				 wanted->template, "database", wanted->database);

	if (body == NULL)
		return err_set(e, ERR_INVALID, NULL,
			       "name, description, size, image, cluster or template is not UTF-8");
	/* Omitted unless requested, because older sites do not know them. */
	if (wanted->starter)
		(void)json_object_set_new(body, "starter", json_true());
	if (wanted->repository != NULL && add_repository(body, wanted, e) < 0)
		return -1;
	if (wanted->lifetime_hours > 0)
		(void)json_object_set_new(body, "lifetimeHours",
					  json_integer(wanted->lifetime_hours));
	if (wanted->agent_at_start)
		(void)json_object_set_new(body, "agentAtStart", json_true());
	return site_call(site, "POST", "/api/projects", body, ret_project, e);
}

int project_expire(struct site *site, const char *id, unsigned hours, json_t **ret_project,
		   struct err *e)
{
	CLEANUP(cleanup_free) char *path = mem_printf("/api/projects/%s/lifetime", id);
	CLEANUP(json_decrefp)
	json_t *body = json_pack("{s:o}", "hours", hours > 0 ? json_integer(hours) : json_null());

	return site_call(site, "PUT", path, body, ret_project, e);
}

int project_set_idle(struct site *site, const char *id, int minutes, json_t **ret_project,
		     struct err *e)
{
	CLEANUP(cleanup_free) char *path = mem_printf("/api/projects/%s/idle", id);
	CLEANUP(json_decrefp)
	json_t *body =
		json_pack("{s:o}", "minutes", minutes >= 0 ? json_integer(minutes) : json_null());

	return site_call(site, "PUT", path, body, ret_project, e);
}

int project_keep(struct site *site, const char *id, unsigned hours, json_t **ret_project,
		 struct err *e)
{
	CLEANUP(cleanup_free) char *path = mem_printf("/api/projects/%s/keep", id);
	CLEANUP(json_decrefp) json_t *body = json_pack("{s:I}", "hours", (json_int_t)hours);

	return site_call(site, "POST", path, body, ret_project, e);
}

int project_set_wake(struct site *site, const char *id, const char *who, json_t **ret_project,
		     struct err *e)
{
	CLEANUP(cleanup_free) char *path = mem_printf("/api/projects/%s", id);
	CLEANUP(json_decrefp) json_t *body = json_pack("{s:s}", "wake", who);

	return site_call(site, "PATCH", path, body, ret_project, e);
}

int project_change_sandbox(struct site *site, const char *id, const char *member, const char *value,
			   bool force, json_t **ret_sandbox, struct err *e)
{
	CLEANUP(cleanup_free) char *path = mem_printf("/api/sandbox/%s", id);
	CLEANUP(json_decrefp)
	json_t *body = json_pack("{s:s?, s:b}", member, value, "force", force);

	if (body == NULL)
		return err_set(e, ERR_INVALID, NULL, "the %s is not UTF-8", member);
	return site_call(site, "PATCH", path, body, ret_sandbox, e);
}

int project_change(struct site *site, const char *id, const char *verb, bool force,
		   json_t **ret_answer, struct err *e)
{
	CLEANUP(cleanup_free) char *path = mem_printf("/api/projects/%s/%s", id, verb);
	CLEANUP(json_decrefp) json_t *body = force ? json_pack("{s:b}", "force", 1) : NULL;
	bool takes_force = strcmp(verb, "delete") != 0;

	return site_call(site, "POST", path, takes_force ? body : NULL, ret_answer, e);
}

int project_change_database(struct site *site, const char *id, bool add, bool force,
			    json_t **ret_answer, struct err *e)
{
	CLEANUP(cleanup_free) char *path = mem_printf("/api/projects/%s/database", id);
	CLEANUP(json_decrefp) json_t *body = force ? json_pack("{s:b}", "force", 1) : NULL;

	return site_call(site, add ? "POST" : "DELETE", path, body, ret_answer, e);
}

int project_events(struct site *site, const char *id, unsigned limit, json_t **ret_events,
		   struct err *e)
{
	CLEANUP(cleanup_free)
	char *path = mem_printf("/api/projects/%s/events?limit=%u", id, limit);
	CLEANUP(json_decrefp) json_t *answer = NULL;

	if (site_call(site, "GET", path, NULL, &answer, e) < 0)
		return -1;
	*ret_events = json_incref(json_object_get(answer, "items"));
	return 0;
}

/* ---- findings -------------------------------------------------------------------------------- */

static void add_finding(json_t *findings, const char *resource, const json_t *about,
			const json_t *row)
{
	static const char *const members[] = { "headline", "action",   "message",      "detail",
					       "code",     "attempts", "nextAttemptAt" };
	json_t *finding =
		json_pack("{s:s, s:O*, s:O*}", "resource", resource, "status",
			  json_object_get(row, "status"), "since", json_object_get(about, "since"));

	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		json_t *value = json_object_get(about, members[i]);
		if (value != NULL && !json_is_null(value))
			(void)json_object_set(finding, members[i], value);
	}
	(void)json_array_append_new(findings, finding);
}

static void add_findings(json_t *findings, const json_t *rows, const char *resource)
{
	const json_t *row, *warning;
	size_t i, w;

	json_array_foreach(rows, i, row)
	{
		const json_t *cause = json_object_get(row, "cause");
		if (json_is_object(cause))
			add_finding(findings, resource, cause, row);
		json_array_foreach(json_object_get(row, "warnings"), w, warning)
		{
			add_finding(findings, resource, warning, row);
		}
	}
}

json_t *project_findings(const json_t *project)
{
	json_t *findings = json_array();
	CLEANUP(json_decrefp) json_t *whole = json_pack("[O]", project);

	add_findings(findings, json_object_get(project, "sandboxes"), "sandbox");
	add_findings(findings, json_object_get(project, "databases"), "database");
	add_findings(findings, whole, "project");
	return findings;
}

/* ---- waiting --------------------------------------------------------------------------------- */

static const struct {
	const char *verb, *status;
} outcomes[] = {
	{ "create", "RUNNING" },  { "start", "RUNNING" },     { "stop", "STOPPED" },
	{ "restart", "RUNNING" }, { "delete", "TERMINATED" },
};

static bool is_outcome(const char *verb, const char *status)
{
	for (size_t i = 0; i < ARRAY_SIZE(outcomes); i++) {
		if (strcmp(outcomes[i].verb, verb) == 0)
			return strcmp(outcomes[i].status, status) == 0;
	}
	return false;
}

static int went_wrong(const json_t *project, struct err *e)
{
	CLEANUP(json_decrefp) json_t *findings = project_findings(project);
	const json_t *first = json_array_get(findings, 0);
	const char *headline = member(first, "headline");

	return err_set(e, ERR_INTERNAL, "PROJECT_ERROR", "%s is in ERROR: %s %s (fsa explain %s)",
		       project_name(project), headline[0] != '\0' ? headline : "",
		       member(first, "message"), project_id(project));
}

/* Prints what delays the project, once per reason; `*printed` is the last that was printed, or
 * NULL. */
static void print_obstacle(const json_t *project, char **printed)
{
	CLEANUP(json_decrefp) json_t *findings = project_findings(project);
	const char *headline = member(json_array_get(findings, 0), "headline");

	if (headline[0] == '\0' || (*printed != NULL && strcmp(*printed, headline) == 0))
		return;
	CLEANUP(cleanup_free) char *safe = output_printable(headline);
	(void)fprintf(stderr, "fsa: still waiting: %s\n", safe);
	free(*printed);
	*printed = mem_strdup(headline);
}

/* Whether to keep waiting for a site that is unreachable: the project continues without it. */
static bool may_come_back(const struct err *e, uint64_t away_ms, uint64_t max_ms)
{
	if (!site_is_away(e))
		return false;
	return away_ms <= (max_ms > 0 && max_ms < AWAY_MAX_MS ? max_ms : AWAY_MAX_MS);
}

int project_wait(struct site *site, const char *id, const char *verb, uint64_t max_ms,
		 json_t **ret_project, struct err *e)
{
	uint64_t begun = clock_ms(), reached = begun;
	CLEANUP(cleanup_free) char *printed = NULL;
	const struct timespec pause = { .tv_nsec = POLL_MS * 1000000L };

	while (!site_is_cancelled(site, e)) {
		CLEANUP(json_decrefp) json_t *project = NULL;
		*ret_project = NULL;
		if (read_project(site, id, &project, e) < 0) {
			if (e->kind == ERR_NOT_FOUND && strcmp(verb, "delete") == 0)
				return 0;
			if (!may_come_back(e, clock_ms() - reached, max_ms))
				return -1;
			(void)nanosleep(&pause, NULL);
			continue;
		}
		reached = clock_ms();
		if (is_outcome(verb, project_status(project)) ||
		    (max_ms > 0 && clock_ms() - begun > max_ms)) {
			*ret_project = STEAL(project);
			return 0;
		}
		if (strcmp(project_status(project), "ERROR") == 0)
			return went_wrong(project, e);
		print_obstacle(project, &printed);
		(void)nanosleep(&pause, NULL);
	}
	return -1;
}

/* ---- variables ------------------------------------------------------------------------------- */

static char *variables_path(const char *id, const char *variable)
{
	return mem_printf("/api/projects/%s/environment%s%s", id, variable[0] != '\0' ? "/" : "",
			  variable);
}

/* Replaces the masked value that lists contain by the secret itself. */
static int read_value(struct site *site, const char *id, json_t *variable, struct err *e)
{
	CLEANUP(cleanup_free) char *path = variables_path(id, member(variable, "id"));
	CLEANUP(json_decrefp) json_t *whole = NULL;

	if (!parse_is_uuid(member(variable, "id")) ||
	    site_call(site, "GET", path, NULL, &whole, e) < 0)
		return -1;
	(void)json_object_set(variable, "value", json_object_get(whole, "value"));
	return 0;
}

int project_variables(struct site *site, const char *id, bool show, json_t **ret_variables,
		      struct err *e)
{
	CLEANUP(cleanup_free) char *path = variables_path(id, "");
	CLEANUP(json_decrefp) json_t *groups = NULL;
	CLEANUP(json_decrefp) json_t *list = json_array();
	const char *category;
	json_t *group, *variable;
	size_t i;

	if (site_call(site, "GET", path, NULL, &groups, e) < 0)
		return -1;
	json_object_foreach(groups, category, group)
	{
		(void)json_array_extend(list, group);
	}
	json_array_foreach(list, i, variable)
	{
		if (show && json_is_null(json_object_get(variable, "value")) &&
		    read_value(site, id, variable, e) < 0)
			return -1;
	}
	*ret_variables = STEAL(list);
	return 0;
}

json_t *project_make_variables(json_t *values, bool secret)
{
	json_t *variables = json_array();
	const char *key;
	json_t *value;

	json_object_foreach(values, key, value)
	{
		json_t *variable = json_pack("{s:s, s:O}", "key", key, "value", value);
		if (secret)
			(void)json_object_set_new(variable, "isSecret", json_true());
		(void)json_array_append_new(variables, variable);
	}
	return variables;
}

int project_set_variables(struct site *site, const char *id, json_t *variables, bool force,
			  struct err *e)
{
	CLEANUP(cleanup_free) char *path = variables_path(id, "");
	CLEANUP(json_decrefp)
	json_t *body = json_pack("{s:O, s:b}", "variables", variables, "force", force);

	return site_call(site, "PATCH", path, body, NULL, e);
}

static json_t *find_variable(const json_t *variables, const char *key)
{
	json_t *variable;
	size_t i;

	json_array_foreach(variables, i, variable)
	{
		if (strcmp(member(variable, "key"), key) == 0 &&
		    parse_is_uuid(member(variable, "id")))
			return variable;
	}
	return NULL;
}

static int remove_variable(struct site *site, const char *id, const json_t *variable,
			   const json_t *body, struct err *e)
{
	CLEANUP(cleanup_free) char *path = variables_path(id, member(variable, "id"));

	if (site_call(site, "DELETE", path, body, NULL, e) < 0)
		return err_wrap(e, "%s", member(variable, "key"));
	return 0;
}

int project_unset_variables(struct site *site, const char *id, const json_t *keys, bool force,
			    struct err *e)
{
	CLEANUP(json_decrefp) json_t *variables = NULL;
	CLEANUP(json_decrefp) json_t *found = json_array();
	CLEANUP(json_decrefp) json_t *body = force ? json_pack("{s:b}", "force", 1) : NULL;
	json_t *key, *variable;
	size_t i;

	if (project_variables(site, id, false, &variables, e) < 0)
		return -1;
	json_array_foreach(keys, i, key)
	{
		variable = find_variable(variables, json_string_value(key));
		if (variable == NULL)
			return err_set(e, ERR_NOT_FOUND, "VARIABLE_NOT_FOUND",
				       "there is no variable %s", json_string_value(key));
		(void)json_array_append(found, variable);
	}
	json_array_foreach(found, i, variable)
	{
		if (remove_variable(site, id, variable, body, e) < 0)
			return -1;
	}
	return 0;
}
