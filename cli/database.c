/* database add and remove. */
#include <stdio.h>
#include <string.h>

#include "ask.h"
#include "base/cleanup.h"
#include "base/json_at.h"
#include "base/mem.h"
#include "command.h"
#include "command/output.h"
#include "project.h"

/* Both restart a sandbox that runs. */
static int ask_first(const struct call *call, const json_t *project, bool add, struct err *e)
{
	CLEANUP(cleanup_free) char *name = output_printable(project_name(project));
	CLEANUP(cleanup_free)
	char *question = mem_printf(
		add ? "%s gets a database; if its sandbox runs it restarts: processes in it end."
		    : "The database of %s goes with its data, for ever; if its sandbox runs it "
		      "restarts.",
		name);
	bool yes = true;

	if (call->options[OPTION_YES] == NULL && ask_yes(question, &yes, e) < 0)
		return -1;
	return yes ? 0 : err_set(e, ERR_CONFLICT, "NOT_CONFIRMED", "nothing was changed");
}

static const char *when_it_is_there(const json_t *database)
{
	return strcmp(json_text_at(database, "desired"), "STOPPED") == 0
		       ? "the database is made when the project is started"
		       : "the sandbox gets DATABASE_URL when the database is ready";
}

static int change(const struct call *call, bool add, struct err *e)
{
	CLEANUP(site_close) struct site site = { 0 };
	CLEANUP(json_decrefp) json_t *project = NULL;
	CLEANUP(json_decrefp) json_t *answer = NULL;

	if (call_site(call, &site, e) < 0 ||
	    project_find(&site, call->arguments[0], &project, e) < 0 ||
	    ask_first(call, project, add, e) < 0 ||
	    project_change_database(&site, project_id(project), add,
				    call->options[OPTION_YES] != NULL, &answer, e) < 0)
		return -1;
	if (call_json(call, answer))
		return 0;
	CLEANUP(cleanup_free) char *name = output_printable(project_name(project));
	(void)printf("%s: %s\n", name,
		     add ? when_it_is_there(answer) : "the database is being removed");
	return 0;
}

int command_database_add(const struct call *call, struct err *e)
{
	return change(call, true, e);
}

int command_database_remove(const struct call *call, struct err *e)
{
	return change(call, false, e);
}
