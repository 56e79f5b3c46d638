/* status and explain. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "command.h"
#include "command/output.h"
#include "import.h"
#include "project.h"

enum { WATCH_MS = 1000, EVENTS_SHOWN = 10 };

static const struct output_column project_fields[] = {
	{ "name", "project" },   { "status", "status" },     { "description", "about" },
	{ "expiresAt", "ends" }, { "deletesAt", "deleted" }, { "id", "id" },
};
static const struct output_column sandbox_fields[] = {
	{ "publicUrl", "application" },
	{ "lastActiveAt", "last active" },
	{ "lastActivity", "by" },
};
static const struct output_column import_fields[] = {
	{ "status", "import" }, { "url", "  from" },    { "branch", "  branch" },
	{ "folder", "  to" },   { "message", "  why" },
};
static const struct output_column resource_columns[] = {
	{ "resource", "RESOURCE" },
	{ "status", "STATUS" },
	{ "statusSince", "SINCE" },
	{ "stage", "STAGE" },
};
static const struct output_column finding_fields[] = {
	{ "headline", "  what" }, { "message", "  found" }, { "detail", "  cluster" },
	{ "action", "  do" },     { "since", "  since" },   { "nextAttemptAt", "  next try" },
};
static const struct output_column event_columns[] = {
	{ "at", "AT" },       { "kind", "RESOURCE" },   { "status", "STATUS" },
	{ "stage", "STAGE" }, { "message", "MESSAGE" },
};

static void add_resources(json_t *rows, const json_t *resources, const char *kind)
{
	json_t *resource;
	size_t i;

	json_array_foreach(resources, i, resource)
	{
		json_t *row = json_copy(resource);
		(void)json_object_set_new(row, "resource", json_string(kind));
		(void)json_array_append_new(rows, row);
	}
}

static void print_findings(const json_t *project)
{
	CLEANUP(json_decrefp) json_t *findings = project_findings(project);
	const json_t *finding;
	size_t i;

	json_array_foreach(findings, i, finding)
	{
		(void)printf("\n%s\n", json_string_value(json_object_get(finding, "resource")));
		output_fields(finding_fields, ARRAY_SIZE(finding_fields), finding);
	}
}

/* What a sandbox printed before it crashed, which only a request for it alone returns. */
static int print_crash_log(struct site *site, const json_t *sandbox, struct err *e)
{
	const char *kind =
		json_string_value(json_object_get(json_object_get(sandbox, "cause"), "kind"));
	const char *project = json_string_value(json_object_get(sandbox, "projectId"));
	const char *id = json_string_value(json_object_get(sandbox, "id"));
	CLEANUP(json_decrefp) json_t *shown = NULL;

	if (kind == NULL || strcmp(kind, "POD_CRASH") != 0 || project == NULL || id == NULL)
		return 0;
	CLEANUP(cleanup_free) char *of = site_escape(project);
	CLEANUP(cleanup_free) char *which = site_escape(id);
	CLEANUP(cleanup_free) char *path = mem_printf("/api/projects/%s/sandboxes/%s", of, which);
	if (site_call(site, "GET", path, NULL, &shown, e) < 0)
		return -1;
	const char *text = json_string_value(
		json_object_get(json_object_get(json_object_get(shown, "cause"), "log"), "text"));
	if (text == NULL)
		return 0;
	CLEANUP(cleanup_free) char *safe = output_printable_lines(text);
	(void)printf("\nwhat it printed before it ended\n%s\n", safe);
	return 0;
}

static int print_crash_logs(struct site *site, const json_t *project, struct err *e)
{
	const json_t *sandbox;
	size_t i;

	json_array_foreach(json_object_get(project, "sandboxes"), i, sandbox)
	{
		if (print_crash_log(site, sandbox, e) < 0)
			return -1;
	}
	return 0;
}

static void print_project(const json_t *project)
{
	CLEANUP(json_decrefp) json_t *rows = json_array();

	output_fields(project_fields, ARRAY_SIZE(project_fields), project);
	output_fields(sandbox_fields, ARRAY_SIZE(sandbox_fields), project_sandbox(project));
	if (json_object_get(project, "import") != NULL)
		output_fields(import_fields, ARRAY_SIZE(import_fields),
			      json_object_get(project, "import"));
	add_resources(rows, json_object_get(project, "sandboxes"), "sandbox");
	add_resources(rows, json_object_get(project, "databases"), "database");
	output_table("resources", resource_columns, ARRAY_SIZE(resource_columns), rows);
	print_findings(project);
}

/* ---- changes --------------------------------------------------------------------------------- */

static void print_change(const struct call *call, const json_t *project)
{
	const json_t *sandbox = project_sandbox(project);
	const json_t *cause = json_object_get(sandbox, "cause");
	const char *headline = json_string_value(json_object_get(cause, "headline"));
	const char *stage_of = json_string_value(json_object_get(sandbox, "stage"));

	if (call->options[OPTION_JSON] != NULL) {
		output_value_line(project);
	} else {
		CLEANUP(cleanup_free) char *status = output_printable(project_status(project));
		CLEANUP(cleanup_free) char *stage = output_printable(stage_of ? stage_of : "");
		CLEANUP(cleanup_free) char *why = output_printable(headline ? headline : "");
		(void)printf("%-12s %-10s %s\n", status, stage, why);
	}
	(void)fflush(stdout);
}

/* Until the project is gone, standard output is closed, or the user ends it. */
static int watch(const struct call *call, struct site *site, json_t *first, struct err *e)
{
	const struct timespec pause = { .tv_sec = WATCH_MS / 1000 };
	CLEANUP(json_decrefp) json_t *shown = json_incref(first);

	print_change(call, shown);
	while (!ferror(stdout)) {
		json_t *now = NULL;
		(void)nanosleep(&pause, NULL);
		if (project_find(site, project_id(first), &now, e) < 0) {
			if (e->kind == ERR_NOT_FOUND)
				return 0;
			if (!site_is_away(e))
				return -1;
			continue;
		}
		if (!json_equal(now, shown))
			print_change(call, now);
		json_decref(shown);
		shown = now;
	}
	return 0;
}

int command_status(const struct call *call, struct err *e)
{
	CLEANUP(site_close) struct site site = { 0 };
	CLEANUP(json_decrefp) json_t *project = NULL;

	if (call_site(call, &site, e) < 0 ||
	    project_find(&site, call->arguments[0], &project, e) < 0)
		return -1;
	if (call->options[OPTION_WATCH] != NULL)
		return watch(call, &site, project, e);
	import_add(&site, project);
	if (!call_json(call, project))
		print_project(project);
	return 0;
}

/* ---- explanation ----------------------------------------------------------------------------- */

int command_explain(const struct call *call, struct err *e)
{
	CLEANUP(site_close) struct site site = { 0 };
	CLEANUP(json_decrefp) json_t *project = NULL;
	CLEANUP(json_decrefp) json_t *events = NULL;

	if (call_site(call, &site, e) < 0 ||
	    project_find(&site, call->arguments[0], &project, e) < 0 ||
	    project_events(&site, project_id(project), EVENTS_SHOWN, &events, e) < 0)
		return -1;
	if (call->options[OPTION_JSON] != NULL) {
		CLEANUP(json_decrefp)
		json_t *row =
			json_pack("{s:s, s:s, s:s, s:o, s:O}", "id", project_id(project), "name",
				  project_name(project), "status", project_status(project),
				  "findings", project_findings(project), "events", events);
		output_value(row);
		return 0;
	}
	print_project(project);
	if (print_crash_logs(&site, project, e) < 0)
		return -1;
	output_table("what happened, newest first", event_columns, ARRAY_SIZE(event_columns),
		     events);
	return 0;
}
