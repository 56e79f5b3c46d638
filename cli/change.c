/* start, stop and restart. */
#include <stdio.h>

#include "ask.h"
#include "base/cleanup.h"
#include "base/mem.h"
#include "command.h"
#include "command/output.h"
#include "project.h"

/* The site refuses a change that would lose data; it is sent again if the user insists. */
static int insist(const struct call *call, struct site *site, const json_t *project,
		  const char *verb, json_t **ret_answer, struct err *e)
{
	CLEANUP(cleanup_free) char *question = output_printable(e->message);
	struct err refused = *e;
	bool yes;

	if (call->options[OPTION_YES] == NULL) {
		if (ask_yes(question, &yes, e) < 0)
			return -1;
		if (!yes) {
			*e = refused;
			return -1;
		}
	}
	return project_change(site, project_id(project), verb, true, ret_answer, e);
}

static void print_outcome(const json_t *project, const char *status)
{
	CLEANUP(cleanup_free) char *name = output_printable(project_name(project));
	CLEANUP(cleanup_free) char *safe = output_printable(status);

	(void)printf("%s: %s\n", name, safe);
}

static int change(const struct call *call, const char *verb, struct err *e)
{
	CLEANUP(site_close) struct site site = { 0 };
	CLEANUP(json_decrefp) json_t *project = NULL, *finished = NULL;
	CLEANUP(json_decrefp) json_t *answer = NULL;

	if (call_site(call, &site, e) < 0 ||
	    project_find(&site, call->arguments[0], &project, e) < 0)
		return -1;
	if (project_change(&site, project_id(project), verb, false, &answer, e) < 0 &&
	    (e->kind != ERR_DATA_AT_RISK || insist(call, &site, project, verb, &answer, e) < 0))
		return -1;
	if (call->options[OPTION_WAIT] != NULL &&
	    project_wait(&site, project_id(project), verb, 0, &finished, e) < 0)
		return -1;
	if (call_json(call, finished != NULL ? finished : answer))
		return 0;
	if (call->options[OPTION_WAIT] == NULL)
		print_outcome(project, project_status(json_object_get(answer, "project")));
	else
		print_outcome(project, project_status(finished));
	return 0;
}

int command_start(const struct call *call, struct err *e)
{
	return change(call, "start", e);
}

int command_stop(const struct call *call, struct err *e)
{
	return change(call, "stop", e);
}

int command_restart(const struct call *call, struct err *e)
{
	return change(call, "restart", e);
}
