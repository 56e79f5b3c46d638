/* mcp: a Model Context Protocol server on standard input and output: JSON-RPC 2.0, one message per
 * line. Requests are answered one at a time. The tools are in mcp_tools.h. */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "command.h"
#include "config.h"
#include "mcp_tools.h"

enum {
	LINE_MAX_BYTES = 16 << 20,
	PARSE_ERROR = -32700,
	INVALID_REQUEST = -32600,
	METHOD_NOT_FOUND = -32601,
	INVALID_PARAMS = -32602,
};

/* Supported revisions of the protocol (those with `initialize`), newest first. */
static const char *const versions[] = { "2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05" };

static const char instructions[] =
	"Projects of a FullStack Agent site: development sandboxes on Kubernetes, each with a "
	"PostgreSQL of its own, a public address for the application on port 3000, and files that "
	"stay. Projects are named by name or id. What a tool cannot do it says why, and what to "
	"do.";

/* ---- messages -------------------------------------------------------------------------------- */

static void answer(const json_t *id, const char *member, json_t *value)
{
	CLEANUP(json_decrefp)
	json_t *message = json_pack("{s:s, s:O, s:o}", "jsonrpc", "2.0", "id", id, member, value);

	/* ASCII, so that nothing in between interprets the contents. */
	(void)json_dumpf(message, stdout, JSON_COMPACT | JSON_ENSURE_ASCII);
	(void)putchar('\n');
	(void)fflush(stdout);
}

static void refuse(const json_t *id, int code, const char *message)
{
	answer(id, "error", json_pack("{s:i, s:s}", "code", code, "message", message));
}

static json_t *initialize(const json_t *params)
{
	const char *wanted = json_string_value(json_object_get(params, "protocolVersion"));
	const char *version = versions[0];

	for (size_t i = 0; wanted != NULL && i < ARRAY_SIZE(versions); i++) {
		if (strcmp(wanted, versions[i]) == 0)
			version = versions[i];
	}
	return json_pack("{s:s, s:{s:{}}, s:{s:s, s:s, s:s}, s:s}", "protocolVersion", version,
			 "capabilities", "tools", "serverInfo", "name", "fsa", "title",
			 "FullStack Agent", "version", PACKAGE_VERSION, "instructions",
			 instructions);
}

/* ---- tools ----------------------------------------------------------------------------------- */

/* A tool's failure is a result, which the model reads. */
static json_t *tool_failed(const struct err *e)
{
	json_t *about = json_pack("{s:s, s:s}", "error", e->message, "errorCode", e->code);

	return json_pack("{s:[{s:s, s:s}], s:o, s:b}", "content", "type", "text", "text",
			 e->message, "structuredContent", about, "isError", 1);
}

static json_t *tool_done(json_t *found)
{
	CLEANUP(cleanup_free) char *text = json_dumps(found, JSON_INDENT(1));

	return json_pack("{s:[{s:s, s:s}], s:o, s:b}", "content", "type", "text", "text", text,
			 "structuredContent", found, "isError", 0);
}

static void call_tool(struct site *site, const json_t *id, const json_t *params)
{
	const char *name = json_string_value(json_object_get(params, "name"));
	const struct mcp_tool *tool = name != NULL ? mcp_tool_find(name) : NULL;
	json_t *found = NULL;
	struct err e = { 0 };

	if (tool == NULL)
		refuse(id, INVALID_PARAMS, "there is no such tool; tools/list has them");
	else if (mcp_tool_run(tool, site, json_object_get(params, "arguments"), &found, &e) < 0)
		answer(id, "result", tool_failed(&e));
	else
		answer(id, "result", tool_done(found));
}

/* ---- requests -------------------------------------------------------------------------------- */

static void handle(struct site *site, const json_t *message)
{
	const char *method = json_string_value(json_object_get(message, "method"));
	const json_t *params = json_object_get(message, "params");
	json_t *id = json_object_get(message, "id");

	if (method == NULL && (json_object_get(message, "result") != NULL ||
			       json_object_get(message, "error") != NULL))
		return; /* a response, although we send no requests */
	if (method == NULL || (id != NULL && !json_is_string(id) && !json_is_integer(id)))
		refuse(json_null(), INVALID_REQUEST, "not a request of JSON-RPC 2.0");
	else if (id == NULL)
		return; /* a notification: of those that there are none asks for anything */
	else if (strcmp(method, "initialize") == 0)
		answer(id, "result", initialize(params));
	else if (strcmp(method, "ping") == 0)
		answer(id, "result", json_object());
	else if (strcmp(method, "tools/list") == 0)
		answer(id, "result", json_pack("{s:o}", "tools", mcp_tools_list()));
	else if (strcmp(method, "tools/call") == 0)
		call_tool(site, id, params);
	else
		refuse(id, METHOD_NOT_FOUND, "there is no such method");
}

static void handle_line(struct site *site, const struct buf *line, bool too_long)
{
	json_error_t where;
	CLEANUP(json_decrefp)
	json_t *message = !too_long && line->length > 0
				  ? json_loadb(line->data, line->length, 0, &where)
				  : NULL;

	if (message != NULL)
		handle(site, message);
	else if (too_long)
		refuse(json_null(), INVALID_REQUEST, "a message has at most 16 MiB");
	else if (line->length > 0)
		refuse(json_null(), PARSE_ERROR, "a line is not JSON");
}

/* One line, as much of it as fits. False at the end of input. */
static bool read_line(struct buf *line, bool *ret_too_long)
{
	struct err e;
	int c;

	buf_reset(line);
	*ret_too_long = false;
	while ((c = getchar_unlocked()) != EOF && c != '\n') {
		char byte = (char)c;
		*ret_too_long |= buf_append(line, &byte, 1, &e) < 0;
	}
	return c != EOF || line->length > 0;
}

int command_mcp(const struct call *call, struct err *e)
{
	CLEANUP(site_close) struct site site = { 0 };
	CLEANUP(buf_wipe) struct buf line = BUF_INIT(LINE_MAX_BYTES);
	bool too_long;

	if (call_site(call, &site, e) < 0)
		return -1;
	while (read_line(&line, &too_long))
		handle_line(&site, &line, too_long);
	return 0;
}
