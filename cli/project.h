#ifndef FSA_CLI_PROJECT_H
#define FSA_CLI_PROJECT_H

#include <stdint.h>

#include "site.h"

/* Operations on a site's projects, for commands and for MCP's tools. Projects are in the form of
 * the API (ProjectItem of web/openapi.json). */

/* By id or by name. ERR_NOT_FOUND; ERR_CONFLICT: several have that name; the message lists them. */
int project_find(struct site *site, const char *name_or_id, json_t **ret_project, struct err *e);
/* The same among those in the site's trash. */
int project_find_deleted(struct site *site, const char *name_or_id, json_t **ret_project,
			 struct err *e);
const char *project_id(const json_t *project);
const char *project_name(const json_t *project);
const char *project_status(const json_t *project);
/* Its sandbox, borrowed, or NULL. */
const json_t *project_sandbox(const json_t *project);

int project_list(struct site *site, json_t **ret_projects, struct err *e);
int project_list_deleted(struct site *site, json_t **ret_projects, struct err *e);
/* Brings it back from the trash; `name` (NULL: its own) is what it is called from then on. */
int project_restore(struct site *site, const char *id, const char *name, json_t **ret_project,
		    struct err *e);
/* For good, also out of the trash. */
int project_delete_permanently(struct site *site, const char *id, json_t **ret_answer,
			       struct err *e);
struct project_new {
	const char *name;
	const char *description;                  /* NULL: none */
	unsigned lifetime_hours;                  /* 0: it has no end */
	const char *size, *image;                 /* NULL: the site's default */
	const char *template;                     /* NULL: none */
	const char *repository, *branch, *folder; /* NULL: none, or its defaults */
	const char *cluster;                      /* NULL: the default one */
	bool database, starter, agent_at_start;
};
int project_create(struct site *site, const struct project_new *wanted, json_t **ret_project,
		   struct err *e);
/* Whole hours from a text such as "3d"; ERR_INVALID USAGE. */
int project_parse_hours(const char *text, unsigned *ret_hours, struct err *e);
/* Ends it in so many hours; 0: never. */
int project_expire(struct site *site, const char *id, unsigned hours, json_t **ret_project,
		   struct err *e);
/* Stops it when idle for so many minutes (0: never, negative: the site's default); keeps it from
 * that for so many hours. */
int project_set_idle(struct site *site, const char *id, int minutes, json_t **ret_project,
		     struct err *e);
int project_keep(struct site *site, const char *id, unsigned hours, json_t **ret_project,
		 struct err *e);
/* `who`: "owner", "members", "anyone" or "never" starts it by visiting its address. */
int project_set_wake(struct site *site, const char *id, const char *who, json_t **ret_project,
		     struct err *e);
/* Gives its first sandbox another "size" or "image" (`member`; NULL: the site's default), and
 * returns the sandbox. ERR_DATA_AT_RISK as below. */
int project_change_sandbox(struct site *site, const char *id, const char *member, const char *value,
			   bool force, json_t **ret_sandbox, struct err *e);
/* `verb`: "start", "stop", "restart" or "delete". ERR_DATA_AT_RISK unless `force`: files or rows
 * would be lost; the message says how. */
int project_change(struct site *site, const char *id, const char *verb, bool force,
		   json_t **ret_answer, struct err *e);
/* Adds a database to a project, or removes the one that it has. ERR_DATA_AT_RISK as above. */
int project_change_database(struct site *site, const char *id, bool add, bool force,
			    json_t **ret_answer, struct err *e);
/* Waits until the state that `verb` leads to is reached, and meanwhile prints causes of delay to
 * standard error. ERR_INTERNAL with code PROJECT_ERROR: the project is in ERROR; the message has
 * the cause. `*ret_project` is NULL when it is gone. After `max_ms`, unless 0, returns it as it is
 * then. */
int project_wait(struct site *site, const char *id, const char *verb, uint64_t max_ms,
		 json_t **ret_project, struct err *e);
/* Its events, newest first, at most `limit`. */
int project_events(struct site *site, const char *id, unsigned limit, json_t **ret_events,
		   struct err *e);

/* Its causes and warnings: [{resource, status, since, headline, action, message, detail,
 * nextAttemptAt}]. */
json_t *project_findings(const json_t *project);

/* Its variables, each {key, value, category, isSecret, …}; secret ones have their value only with
 * `show`. */
int project_variables(struct site *site, const char *id, bool show, json_t **ret_variables,
		      struct err *e);
/* Turns {key: value} into the argument of the next function. */
json_t *project_make_variables(json_t *values, bool secret);
/* `variables`: [{key, value, isSecret}]; the others stay. */
int project_set_variables(struct site *site, const char *id, json_t *variables, bool force,
			  struct err *e);
/* `keys`: ["A", "B"]. ERR_NOT_FOUND, and nothing is removed, if one of them does not exist. */
int project_unset_variables(struct site *site, const char *id, const json_t *keys, bool force,
			    struct err *e);

#endif
