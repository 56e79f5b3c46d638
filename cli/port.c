/* port list, open and close. */
#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json_at.h"
#include "base/mem.h"
#include "base/parse.h"
#include "command.h"
#include "command/output.h"
#include "project.h"

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
	body = json_pack("{s:I, s:s, s:s*}", "port", (json_int_t)port, "access", "public", "name",
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

int command_port_close(const struct call *call, struct err *e)
{
	CLEANUP(site_close) struct site site = { 0 };
	CLEANUP(json_decrefp) json_t *project = NULL;
	CLEANUP(cleanup_free) char *path = NULL;
	uint64_t port;

	if (read_port(call->arguments[1], &port, e) < 0 || find(call, &site, &project, e) < 0)
		return -1;
	const char *id = id_of(json_object_get(project_sandbox(project), "ports"), port);
	if (!parse_is_uuid(id))
		return err_set(e, ERR_NOT_FOUND, "PORT_NOT_FOUND", "port %" PRIu64 " is not open",
			       port);
	if (make_path(project, id, &path, e) < 0)
		return -1;
	return request(call, &site, "DELETE", path, NULL, e);
}
