/* Ports of a sandbox that are open to the internet, each at an address of its own. */
#include "api.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "checks.h"
#include "domain/project.h"
#include "render.h"
#include "store/port.h"
#include "store/project.h"

enum { PORT_MAX = 65535, PORT_APP = 3000, PORT_TERMINAL = 7681 };

static int check_access(const char *access, struct err *e)
{
	if (strcmp(access, PORT_ACCESS_PUBLIC) == 0)
		return 0;
	return err_set(e, ERR_INVALID, "INVALID_FIELD", "not \"" PORT_ACCESS_PUBLIC "\"");
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
	  .pattern = "^" PORT_ACCESS_PUBLIC "$",
	  .check = check_access },
	FIELDS_END,
};

/* Lists the ports of the sandbox that the path names. */
static int answer(struct call *c, struct err *e)
{
	CLEANUP(sandbox_view_clear) struct sandbox_view view = { .result = NULL };

	if (sandbox_get(c->db, c->session->user_id, c->params[0], c->params[1], &view, e) < 0)
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
	if (port_open(c->db, c->session->user_id, c->params[0], c->params[1], &port, e) < 0)
		return -1;
	return answer(c, e);
}

int ports_delete(struct call *c, struct err *e)
{
	(void)snprintf(c->object_id, sizeof(c->object_id), "%s", c->params[1]);
	c->audit_detail = json_pack("{s:s}", "portId", c->params[2]);
	if (port_close(c->db, c->session->user_id, c->params[0], c->params[1], c->params[2], e) < 0)
		return -1;
	return answer(c, e);
}
