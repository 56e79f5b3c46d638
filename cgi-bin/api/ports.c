/* Ports of a sandbox that are open to the internet, each at an address of its own. */
#include "api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json_at.h"
#include "base/mem.h"
#include "base/parse.h"
#include "checks.h"
#include "domain/project.h"
#include "manifest/manifest.h"
#include "render.h"
#include "store/membership.h"
#include "store/port.h"
#include "store/project.h"

enum { PORT_MAX = 65535, PORT_APP = 3000, PORT_TERMINAL = 7681 };
enum { LINK_MIN_S = 60, LINK_DEFAULT_S = 3600, LINK_MAX_S = 7 * 86400 };
/* A browser comes back from the site at once, and may stay for a working day. */
enum { ENTRANCE_S = 60, VISIT_S = 8 * 3600, HOST_MAX = 253, HOST_LETTERS = 12 };

#define ACCESS_PATTERN "^(" PORT_ACCESS_PUBLIC "|" PORT_ACCESS_TOKEN ")$"

static int check_access(const char *access, struct err *e)
{
	if (strcmp(access, PORT_ACCESS_PUBLIC) == 0 || strcmp(access, PORT_ACCESS_TOKEN) == 0)
		return 0;
	return err_set(e, ERR_INVALID, "INVALID_FIELD",
		       "must be " PORT_ACCESS_PUBLIC " or " PORT_ACCESS_TOKEN);
}

/* "<12 letters>-<port>.<domain>" */
static int check_host(const char *host, struct err *e)
{
	size_t length = strspn(host, "abcdefghijklmnopqrstuvwxyz");
	size_t port = host[length] == '-' ? strspn(host + length + 1, "0123456789") : 0;
	const char *domain = host + length + 1 + port;

	if (length == HOST_LETTERS && port >= 1 && port <= 5 && host[length + 1] != '0' &&
	    domain[0] == '.' && parse_is_domain(domain + 1))
		return 0;
	return err_set(e, ERR_INVALID, "INVALID_FIELD", "is no address of a port");
}

const struct field port_fields[] = {
	{ .name = "port", .type = FIELD_INTEGER, .required = true, .min = 1, .max = PORT_MAX },
	{ .name = "name",
	  .type = FIELD_STRING,
	  .nullable = true,
	  .max = PROJECT_NAME_MAX,
	  .pattern = PROJECT_NAME_PATTERN,
	  .check = check_display_name },
	{ .name = "access",
	  .type = FIELD_STRING,
	  .required = true,
	  .max = 16,
	  .pattern = ACCESS_PATTERN,
	  .check = check_access },
	FIELDS_END,
};

const struct field port_link_fields[] = {
	{ .name = "expiresIn", .type = FIELD_INTEGER, .min = LINK_MIN_S, .max = LINK_MAX_S },
	FIELDS_END,
};

const struct field visit_fields[] = {
	{ .name = "host",
	  .type = FIELD_STRING,
	  .required = true,
	  .max = HOST_MAX,
	  .pattern = "^[a-z]{12}-[1-9][0-9]{0,4}(\\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+$",
	  .check = check_host },
	FIELDS_END,
};

/* Lists the ports of the sandbox that the path names. */
static int answer(struct call *c, struct err *e)
{
	CLEANUP(sandbox_view_clear) struct sandbox_view view = { .result = NULL };

	if (sandbox_get(c->db, c->owner_id, c->params[0], c->params[1], &view, e) < 0)
		return -1;
	response_json(c->response, 200,
		      json_pack("{s:o}", "items", render_ports(c, &view.sandbox)));
	return 0;
}

int ports_list_get(struct call *c, struct err *e)
{
	return answer(c, e);
}

/* The audit line is about the sandbox, and names the port. */
int ports_post(struct call *c, struct err *e)
{
	const struct port_new port = {
		.port = json_integer_value(json_object_get(c->body, "port")),
		.name = field_string(c->body, "name"),
		.access = field_string(c->body, "access"),
	};

	if (port.port == PORT_APP || port.port == PORT_TERMINAL)
		return err_set(e, ERR_UNPROCESSABLE, "PORT_RESERVED",
			       "Port %d is the application's and port %d the terminal's: they have "
			       "their addresses",
			       PORT_APP, PORT_TERMINAL);
	(void)snprintf(c->object_id, sizeof(c->object_id), "%s", c->params[1]);
	c->audit_detail =
		json_pack("{s:I, s:s}", "port", (json_int_t)port.port, "access", port.access);
	if (port_open(c->db, c->owner_id, c->params[0], c->params[1], &port, e) < 0)
		return -1;
	return answer(c, e);
}

int ports_delete(struct call *c, struct err *e)
{
	(void)snprintf(c->object_id, sizeof(c->object_id), "%s", c->params[1]);
	c->audit_detail = json_pack("{s:s}", "portId", c->params[2]);
	if (port_close(c->db, c->owner_id, c->params[0], c->params[1], c->params[2], e) < 0)
		return -1;
	return answer(c, e);
}

/* Borrowed from `ports`; NULL with an error: there is none, or it needs no link. */
static const json_t *find_private(const json_t *ports, const char *id, struct err *e)
{
	const json_t *port;
	size_t i;

	json_array_foreach(ports, i, port)
	{
		if (strcmp(json_text_at(port, "id"), id) != 0)
			continue;
		if (strcmp(json_text_at(port, "access"), PORT_ACCESS_PUBLIC) != 0)
			return port;
		(void)err_set(e, ERR_UNPROCESSABLE, "PORT_PUBLIC",
			      "Anybody can open the address of this port: it needs no link");
		return NULL;
	}
	(void)err_set(e, ERR_NOT_FOUND, "PORT_NOT_FOUND", "This sandbox has no such open port");
	return NULL;
}

/* {url, expiresAt}: the address of a port with a token for it, which lets in whoever opens it. */
static int make_link(const struct call *c, const struct sandbox *s, const json_t *port,
		     json_t **ret_link, struct err *e)
{
	CLEANUP(cleanup_free)
	char *host = manifest_port_host(s->app_host, (int)json_number_at(port, "port"));
	CLEANUP(cleanup_free) char *token = NULL;
	char expires[TOKEN_TIME_SIZE];
	const struct token_wanted wanted = { .scope = "",
					     .host = host,
					     .lifetime_s = field_integer(c->body, "expiresIn",
									 LINK_DEFAULT_S) };

	if (api_make_token(c, s, &wanted, &token, expires, e) < 0)
		return -1;
	CLEANUP(cleanup_free)
	char *url = mem_printf("%s/?fsa_token=%s", json_text_at(port, "url"), token);
	*ret_link = json_pack("{s:s, s:s}", "url", url, "expiresAt", expires);
	return 0;
}

int port_link_post(struct call *c, struct err *e)
{
	CLEANUP(sandbox_view_clear) struct sandbox_view view = { .result = NULL };
	json_t *link;

	if (sandbox_get(c->db, c->owner_id, c->params[0], c->params[1], &view, e) < 0)
		return -1;
	CLEANUP(json_decrefp) json_t *ports = render_ports(c, &view.sandbox);
	const json_t *port = find_private(ports, c->params[2], e);
	if (port == NULL || make_link(c, &view.sandbox, port, &link, e) < 0)
		return -1;
	(void)snprintf(c->object_id, sizeof(c->object_id), "%s", c->params[1]);
	c->audit_detail = json_pack("{s:I}", "port", (json_int_t)json_number_at(port, "port"));
	response_json(c->response, 200, link);
	return 0;
}

/* The application's host, and the port, of the address of a port. The caller frees. */
static char *split_host(const char *host, int *ret_port)
{
	char *end;

	*ret_port = (int)strtol(host + HOST_LETTERS + 1, &end, 10);
	return mem_printf("%.*s%s", HOST_LETTERS, host, end);
}

/* A token for somebody whose browser sandboxd has sent here. */
static int make_visit(struct call *c, const char *host, const struct port_place *place,
		      json_t **ret_visit, struct err *e)
{
	CLEANUP(sandbox_view_clear) struct sandbox_view view = { .result = NULL };
	CLEANUP(cleanup_free) char *token = NULL;
	CLEANUP(cleanup_free) char *url = render_public_url(c, host);
	char expires[TOKEN_TIME_SIZE];
	const struct token_wanted wanted = {
		.scope = "", .host = host, .lifetime_s = ENTRANCE_S, .visit_s = VISIT_S
	};

	if (sandbox_get(c->db, place->owner_id, place->project_id, place->sandbox_id, &view, e) <
		    0 ||
	    api_make_token(c, &view.sandbox, &wanted, &token, expires, e) < 0)
		return -1;
	*ret_visit = json_pack("{s:s, s:s, s:s}", "url", url, "token", token, "expiresAt", expires);
	return 0;
}

/* Nobody is removed from the project from here until the token is made. */
static int hold_access(const struct call *c, const struct port_place *place, struct err *e)
{
	struct project_access access;

	if (project_access_hold(c->db, c->session->user_id, place->project_id, &access, e) < 0)
		return -1;
	if (access.role <= PROJECT_EDITOR)
		return 0;
	return err_set(e, ERR_NOT_FOUND, "PORT_NOT_FOUND",
		       "There is no private port of yours at this address");
}

int visit_post(struct call *c, struct err *e)
{
	const char *host = field_string(c->body, "host");
	struct port_place place;
	json_t *visit;
	int port;
	CLEANUP(cleanup_free) char *app_host = split_host(host, &port);

	if (port_find(c->db, c->session->user_id, app_host, port, &place, e) < 0 ||
	    hold_access(c, &place, e) < 0 || make_visit(c, host, &place, &visit, e) < 0)
		return -1;
	memcpy(c->owner_id, place.owner_id, sizeof(c->owner_id));
	memcpy(c->object_id, place.sandbox_id, sizeof(c->object_id));
	c->audit_detail = json_pack("{s:i}", "port", port);
	response_json(c->response, 200, visit);
	return 0;
}
