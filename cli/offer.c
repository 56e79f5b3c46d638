/* sizes, images, clusters and templates, resize and set-image: from what a project or sandbox is
 * chosen. */
#include <stdio.h>
#include <string.h>

#include "ask.h"
#include "base/cleanup.h"
#include "base/json_at.h"
#include "base/mem.h"
#include "command.h"
#include "command/output.h"
#include "project.h"

static const struct output_column image_columns[] = {
	{ "name", "NAME" },
	{ "reference", "IMAGE" },
	{ "description", "DESCRIPTION" },
};

static const struct output_column template_columns[] = {
	{ "name", "NAME" },   { "image", "IMAGE" },         { "size", "SIZE" },
	{ "ports", "PORTS" }, { "variables", "VARIABLES" }, { "description", "DESCRIPTION" },
};

static const struct output_column size_columns[] = {
	{ "name", "NAME" },
	{ "cpuLimit", "CPU" },
	{ "memoryLimit", "MEMORY" },
	{ "storageLimit", "STORAGE" },
	{ "description", "DESCRIPTION" },
};

static const struct output_column cluster_columns[] = {
	{ "name", "NAME" },           { "region", "REGION" },     { "server", "SERVER" },
	{ "namespace", "NAMESPACE" }, { "projects", "PROJECTS" }, { "awaySince", "AWAY SINCE" },
};

/* What may be chosen by its reference is listed as one. */
static void add_patterns(json_t *items, const json_t *patterns)
{
	const json_t *row;
	size_t i;

	json_array_foreach(patterns, i, row)
	{
		(void)json_array_append_new(
			items, json_pack("{s:O}", "reference", json_object_get(row, "pattern")));
	}
}

static int list(const struct call *call, const char *path, const struct output_column *columns,
		size_t count, struct err *e)
{
	CLEANUP(site_close) struct site site = { 0 };
	CLEANUP(json_decrefp) json_t *answer = NULL;

	if (call_site(call, &site, e) < 0 || site_call(&site, "GET", path, NULL, &answer, e) < 0)
		return -1;
	json_t *items = json_object_get(answer, "items");
	add_patterns(items, json_object_get(answer, "patterns"));
	if (!call_json(call, items))
		output_rows(columns, count, items);
	return 0;
}

int command_sizes(const struct call *call, struct err *e)
{
	return list(call, "/api/sizes", size_columns, ARRAY_SIZE(size_columns), e);
}

int command_images(const struct call *call, struct err *e)
{
	return list(call, "/api/images", image_columns, ARRAY_SIZE(image_columns), e);
}

int command_clusters(const struct call *call, struct err *e)
{
	return list(call, "/api/clusters", cluster_columns, ARRAY_SIZE(cluster_columns), e);
}

int command_templates(const struct call *call, struct err *e)
{
	return list(call, "/api/templates", template_columns, ARRAY_SIZE(template_columns), e);
}

/* The pod is replaced, which ends what runs in it; the site's question says if data is at risk. */
static int ask(const struct call *call, const char *question, struct err *e)
{
	CLEANUP(cleanup_free) char *safe = output_printable(question);
	bool yes = true;

	if (call->options[OPTION_YES] == NULL && ask_yes(safe, &yes, e) < 0)
		return -1;
	return yes ? 0 : err_set(e, ERR_CONFLICT, "NOT_CONFIRMED", "nothing was changed");
}

static int change(const struct call *call, struct site *site, const json_t *project,
		  const char *member, json_t **ret_sandbox, struct err *e)
{
	const char *value = call->arguments[1];
	CLEANUP(cleanup_free)
	char *question =
		mem_printf("%s's sandbox starts anew: its files stay, what runs in it ends.",
			   project_name(project));
	struct err refused;

	if (strcmp(value, "default") == 0)
		value = NULL;
	const json_t *desired = json_object_get(project_sandbox(project), "desired");
	if (strcmp(json_text(desired), "RUNNING") == 0 && ask(call, question, e) < 0)
		return -1;
	if (project_change_sandbox(site, project_id(project), member, value, false, ret_sandbox,
				   &refused) == 0)
		return 0;
	*e = refused;
	if (refused.kind != ERR_DATA_AT_RISK || ask(call, refused.message, e) < 0)
		return -1;
	return project_change_sandbox(site, project_id(project), member, value, true, ret_sandbox,
				      e);
}

/* Prints of the sandbox what `shown` says: members and their labels. */
static int change_and_show(const struct call *call, const char *member,
			   const struct output_column *shown, size_t count, struct err *e)
{
	CLEANUP(site_close) struct site site = { 0 };
	CLEANUP(json_decrefp) json_t *project = NULL, *sandbox = NULL, *finished = NULL;

	if (call_site(call, &site, e) < 0 ||
	    project_find(&site, call->arguments[0], &project, e) < 0)
		return -1;
	if (project_sandbox(project) == NULL)
		return err_set(e, ERR_NOT_FOUND, "SANDBOX_NOT_FOUND", "the project has no sandbox");
	if (change(call, &site, project, member, &sandbox, e) < 0)
		return -1;
	const json_t *desired = json_object_get(sandbox, "desired");
	if (call->options[OPTION_WAIT] != NULL && strcmp(json_text(desired), "RUNNING") == 0 &&
	    project_wait(&site, project_id(project), "start", 0, &finished, e) < 0)
		return -1;
	if (!call_json(call, sandbox))
		output_fields(shown, count, sandbox);
	return 0;
}

int command_resize(const struct call *call, struct err *e)
{
	static const struct output_column shown[] = { { "cpuLimit", "cpu" },
						      { "memoryLimit", "memory" } };

	return change_and_show(call, "size", shown, ARRAY_SIZE(shown), e);
}

int command_set_image(const struct call *call, struct err *e)
{
	static const struct output_column shown[] = { { "runtimeImage", "image" } };

	return change_and_show(call, "image", shown, ARRAY_SIZE(shown), e);
}
