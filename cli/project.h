#ifndef FSA_CLI_PROJECT_H
#define FSA_CLI_PROJECT_H

#include <stdint.h>

#include "site.h"

/* What can be done with a site's projects, for commands and for MCP's tools alike. Projects are as
 * the API gives them (ProjectItem of web/openapi.json). */

/* By id or by name. ERR_NOT_FOUND; ERR_CONFLICT: several have that name, and which. */
int project_find(struct site *site, const char *name_or_id, json_t **ret_project, struct err *e);
const char *project_id(const json_t *project);
const char *project_name(const json_t *project);
const char *project_status(const json_t *project);
/* Its sandbox, or NULL; not the caller's. */
const json_t *project_sandbox(const json_t *project);

int project_list(struct site *site, json_t **ret_projects, struct err *e);
int project_create(struct site *site, const char *name, const char *description, bool database,
		   json_t **ret_project, struct err *e);
/* `verb`: "start", "stop", "restart" or "delete". ERR_DATA_AT_RISK unless `force`: files or rows
 * would be lost, and how. */
int project_change(struct site *site, const char *id, const char *verb, bool force,
		   json_t **ret_answer, struct err *e);
/* Until what `verb` leads to is there; what holds it up meanwhile is told on standard error.
 * ERR_INTERNAL with code PROJECT_ERROR: it went wrong, with the cause. `*ret_project` is NULL when
 * it is gone. After `max_ms`, unless 0, it is as far as it came. */
int project_wait(struct site *site, const char *id, const char *verb, uint64_t max_ms,
		 json_t **ret_project, struct err *e);
/* What happened to it, newest first, at most `limit`. */
int project_events(struct site *site, const char *id, unsigned limit, json_t **ret_events,
		   struct err *e);

/* What is wrong and what is worth a word: [{resource, status, since, headline, action, message,
 * detail, nextAttemptAt}]. */
json_t *project_findings(const json_t *project);

/* Its variables, each {key, value, category, isSecret, …}; with `show` the secret ones with their
 * values, too. */
int project_variables(struct site *site, const char *id, bool show, json_t **ret_variables,
		      struct err *e);
/* Of {key: value}, what the following takes. */
json_t *project_make_variables(json_t *values, bool secret);
/* `variables`: [{key, value, isSecret}]; the others stay. */
int project_set_variables(struct site *site, const char *id, json_t *variables, bool force,
			  struct err *e);
/* `keys`: ["A", "B"]. ERR_NOT_FOUND, and nothing is removed, when one of them is not there. */
int project_unset_variables(struct site *site, const char *id, const json_t *keys, bool force,
			    struct err *e);

#endif
