#ifndef FSA_API_RENDER_H
#define FSA_API_RENDER_H

#include <jansson.h>

#include "store/environment.h"
#include "store/project.h"
#include "web/route.h"

/*
 * The JSON of our objects, with the members that version 0.4 has. In lists the secrets of an object
 * are null; its own details show them to its owner, but not to a program with a read-only API
 * token: with a terminal's token or a database's password it could make changes. Of a project's
 * members, editors see the terminal's token. The caller json_decref()s.
 */
enum render { RENDER_LISTED, RENDER_DETAILED };

json_t *render_project(const struct project *p);
/* With "sandboxes" and "databases". */
int render_project_item(const struct call *c, const struct project_item *item, enum render how,
			json_t **ret_json, struct err *e);
int render_sandbox(const struct call *c, const struct sandbox *s, enum render how,
		   json_t **ret_json, struct err *e);
/* {stage, stages: [{name, state}]}: those that a sandbox goes through, each with how far it is. */
json_t *render_progress(const struct sandbox_view *view);
/* Its open ports: [{id, port, name, access, url}]. */
json_t *render_ports(const struct call *c, const struct sandbox *s);
/* Appends those of a project to an array. */
int render_sandboxes(const struct call *c, const struct project_item *item, enum render how,
		     json_t *into, struct err *e);
int render_database(const struct call *c, const struct database *d, enum render how,
		    json_t **ret_json, struct err *e);
int render_variable(const struct call *c, const struct variable *v, enum render how,
		    json_t **ret_json, struct err *e);
/* The address of a host of the ingress controller, as a browser reaches it. The caller frees. */
char *render_public_url(const struct call *c, const char *host);
/* The token of the sandbox's terminal. */
int render_terminal_token(const struct call *c, const struct sandbox *s,
			  char ret_token[TERMINAL_TOKEN_LENGTH + 1], struct err *e);
/* {"message": …, "project": {id, status, updatedAt}}: the response to a change of the desired
 * state. */
json_t *render_request(const char *message, const struct project *p);

#endif
