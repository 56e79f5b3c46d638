/* port list, open, link and close. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json_at.h"
#include "base/mem.h"
#include "base/parse.h"
#include "command.h"
#include "command/output.h"
#include "project.h"

enum { HOUR_S = 3600, LINK_MAX_HOURS = 168 };

static const struct output_column columns[] = {
	{ "port", "PORT" },
	{ "access", "ACCESS" },
	{ "url", "ADDRESS" },
	{ "name", "NAME" },
};

/* Returns the path of the sandbox's ports, or of the one with the id `port` unless that is "". The
 * caller frees. */
static int make_path(const json_t *project, const char *port, char **ret_path, struct err *e)
{
	const json_t *sandbox = project_sandbox(project);
	const char *id = json_text_at(sandbox, "id");

	if (sandbox == NULL || !parse_is_uuid(id))
		return err_set(e, ERR_NOT_FOUND, "SANDBOX_NOT_FOUND", "the project has no sandbox");
	*ret_path = mem_printf("/api/projects/%s/sandboxes/%s/ports%s%s", project_id(project), id,
			       port[0] != '\0' ? "/" : "", port);
	return 0;
}

static int read_port(const char *text, uint64_t *ret_port, struct err *e)
{
	if (parse_u64(text, 1, UINT16_MAX, ret_port))
		return 0;
	return err_set(e, ERR_INVALID, "USAGE", "\"%s\" is no port: 1 to %d", text, UINT16_MAX);
}

static int find(const struct call *call, struct site *site, json_t **ret_project, struct err *e)
{
	if (call_site(call, site, e) < 0)
		return -1;
	return project_find(site, call->arguments[0], ret_project, e);
}

static int request(const struct call *call, struct site *site, const char *method, const char *path,
		   const json_t *body, struct err *e)
{
	CLEANUP(json_decrefp) json_t *answer = NULL;

	if (site_call(site, method, path, body, &answer, e) < 0)
		return -1;
	const json_t *ports = json_object_get(answer, "items");
	if (!call_json(call, ports))
		output_rows(columns, ARRAY_SIZE(columns), ports);
	return 0;
}

int command_port_list(const struct call *call, struct err *e)
{
	CLEANUP(site_close) struct site site = { 0 };
	CLEANUP(json_decrefp) json_t *project = NULL;
	CLEANUP(cleanup_free) char *path = NULL;

	if (find(call, &site, &project, e) < 0 || make_path(project, "", &path, e) < 0)
		return -1;
	return request(call, &site, "GET", path, NULL, e);
}

int command_port_open(const struct call *call, struct err *e)
{
	CLEANUP(site_close) struct site site = { 0 };
	CLEANUP(json_decrefp) json_t *project = NULL, *body = NULL;
	CLEANUP(cleanup_free) char *path = NULL;
	uint64_t port;

	if (read_port(call->arguments[1], &port, e) < 0 || find(call, &site, &project, e) < 0 ||
	    make_path(project, "", &path, e) < 0)
		return -1;
	body = json_pack("{s:I, s:s, s:s*}", "port", (json_int_t)port, "access",
			 call->options[OPTION_PRIVATE] != NULL ? "token" : "public", "name",
			 call->options[OPTION_NAME]);
	if (body == NULL)
		return err_set(e, ERR_INVALID, NULL, "the name is not UTF-8");
	return request(call, &site, "POST", path, body, e);
}

static const char *id_of(const json_t *ports, uint64_t port)
{
	const json_t *item;
	size_t i;

	json_array_foreach(ports, i, item)
	{
		if ((uint64_t)json_number_at(item, "port") == port)
			return json_text_at(item, "id");
	}
	return "";
}

/* The path of an open port of the project's sandbox, by its number. The caller frees. */
static int path_of_port(const json_t *project, uint64_t port, char **ret_path, struct err *e)
{
	const char *id = id_of(json_object_get(project_sandbox(project), "ports"), port);

	if (!parse_is_uuid(id))
		return err_set(e, ERR_NOT_FOUND, "PORT_NOT_FOUND", "port %" PRIu64 " is not open",
			       port);
	return make_path(project, id, ret_path, e);
}

/* How long a link lasts. */
static int read_hours(const char *text, unsigned *ret_hours, struct err *e)
{
	*ret_hours = 1;
	if (text != NULL && project_parse_hours(text, ret_hours, e) < 0)
		return -1;
	if (*ret_hours > LINK_MAX_HOURS)
		return err_set(e, ERR_INVALID, "USAGE", "a link lasts at most 7d");
	return 0;
}

int command_port_link(const struct call *call, struct err *e)
{
	CLEANUP(site_close) struct site site = { 0 };
	CLEANUP(json_decrefp) json_t *project = NULL, *body = NULL, *link = NULL;
	CLEANUP(cleanup_free) char *path = NULL;
	unsigned hours;
	uint64_t port;

	if (read_port(call->arguments[1], &port, e) < 0 ||
	    read_hours(call->options[OPTION_EXPIRES], &hours, e) < 0 ||
	    find(call, &site, &project, e) < 0 || path_of_port(project, port, &path, e) < 0)
		return -1;
	CLEANUP(cleanup_free) char *links = mem_printf("%s/links", path);
	body = json_pack("{s:I}", "expiresIn", (json_int_t)hours * HOUR_S);
	if (site_call(&site, "POST", links, body, &link, e) < 0)
		return -1;
	if (!call_json(call, link)) {
		CLEANUP(cleanup_free) char *url = output_printable(json_text_at(link, "url"));
		(void)puts(url);
	}
	return 0;
}

int command_port_close(const struct call *call, struct err *e)
{
	CLEANUP(site_close) struct site site = { 0 };
	CLEANUP(json_decrefp) json_t *project = NULL;
	CLEANUP(cleanup_free) char *path = NULL;
	uint64_t port;

	if (read_port(call->arguments[1], &port, e) < 0 || find(call, &site, &project, e) < 0)
		return -1;
	if (path_of_port(project, port, &path, e) < 0)
		return -1;
	return request(call, &site, "DELETE", path, NULL, e);
}
