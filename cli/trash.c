/* delete, trash and restore. */
#include <stdio.h>
#include <string.h>

#include "ask.h"
#include "base/cleanup.h"
#include "base/mem.h"
#include "command.h"
#include "command/output.h"
#include "project.h"

static const struct output_column columns[] = {
	{ "name", "NAME" },
	{ "createdAt", "CREATED" },
	{ "trashUntil", "UNTIL" },
	{ "id", "ID" },
};
static const struct output_column fields[] = {
	{ "name", "project" },
	{ "status", "status" },
	{ "id", "id" },
};

static int ask(const struct call *call, const json_t *project, bool permanent, struct err *e)
{
	CLEANUP(cleanup_free) char *name = output_printable(project_name(project));
	CLEANUP(cleanup_free)
	char *question =
		permanent ? mem_printf("%s goes with its files and its database, for ever.", name)
			  : mem_printf("%s goes with its files and its database. If this site "
				       "keeps a trash, it can be brought back from there.",
				       name);
	bool yes = true;

	if (call->options[OPTION_YES] == NULL && ask_yes(question, &yes, e) < 0)
		return -1;
	return yes ? 0 : err_set(e, ERR_CONFLICT, "NOT_CONFIRMED", "nothing was deleted");
}

/* What is to go for good may be in the trash already. Where there is one of that name, too, an id
 * has to say which is meant. */
static int find(struct site *site, const char *name, bool permanent, json_t **ret_project,
		struct err *e)
{
	CLEANUP(json_decrefp) json_t *deleted = NULL;
	struct err none;

	if (project_find(site, name, ret_project, e) < 0)
		return permanent && e->kind == ERR_NOT_FOUND
			       ? project_find_deleted(site, name, ret_project, e)
			       : -1;
	if (!permanent || strcmp(name, project_id(*ret_project)) == 0 ||
	    project_find_deleted(site, name, &deleted, &none) < 0)
		return 0;
	return err_set(e, ERR_CONFLICT, "NAME_AMBIGUOUS",
		       "\"%s\" is the project %s, and %s in the trash: name one by its id", name,
		       project_id(*ret_project), project_id(deleted));
}

static int send_deletion(struct site *site, const char *id, bool permanent, json_t **ret_answer,
			 struct err *e)
{
	return permanent ? project_delete_permanently(site, id, ret_answer, e)
			 : project_change(site, id, "delete", false, ret_answer, e);
}

int command_delete(const struct call *call, struct err *e)
{
	CLEANUP(site_close) struct site site = { 0 };
	CLEANUP(json_decrefp) json_t *project = NULL, *answer = NULL, *finished = NULL;
	bool permanent = call->options[OPTION_PERMANENT] != NULL;
	bool wait = call->options[OPTION_WAIT] != NULL;

	if (call_site(call, &site, e) < 0 ||
	    find(&site, call->arguments[0], permanent, &project, e) < 0 ||
	    ask(call, project, permanent, e) < 0 ||
	    send_deletion(&site, project_id(project), permanent, &answer, e) < 0)
		return -1;
	const json_t *after = json_object_get(answer, "project");
	const char *until = json_string_value(json_object_get(after, "trashUntil"));
	if (wait && project_wait(&site, project_id(project), until != NULL ? "stop" : "delete", 0,
				 &finished, e) < 0)
		return -1;
	if (call_json(call, finished != NULL ? finished : answer))
		return 0;
	CLEANUP(cleanup_free) char *name = output_printable(project_name(project));
	const char *outcome = wait ? "gone" : project_status(after);
	CLEANUP(cleanup_free)
	char *words =
		until != NULL ? mem_printf("in the trash until %s", until) : mem_strdup(outcome);
	CLEANUP(cleanup_free) char *safe = output_printable(words);
	(void)printf("%s: %s\n", name, safe);
	return 0;
}

int command_trash(const struct call *call, struct err *e)
{
	CLEANUP(site_close) struct site site = { 0 };
	CLEANUP(json_decrefp) json_t *projects = NULL;

	if (call_site(call, &site, e) < 0 || project_list_deleted(&site, &projects, e) < 0)
		return -1;
	if (!call_json(call, projects))
		output_rows(columns, ARRAY_SIZE(columns), projects);
	return 0;
}

int command_restore(const struct call *call, struct err *e)
{
	CLEANUP(site_close) struct site site = { 0 };
	CLEANUP(json_decrefp) json_t *project = NULL, *restored = NULL;
	const char *name = call->argument_count > 1 ? call->arguments[1] : NULL;

	if (call_site(call, &site, e) < 0 ||
	    project_find_deleted(&site, call->arguments[0], &project, e) < 0 ||
	    project_restore(&site, project_id(project), name, &restored, e) < 0)
		return -1;
	if (!call_json(call, restored))
		output_fields(fields, ARRAY_SIZE(fields), restored);
	return 0;
}
