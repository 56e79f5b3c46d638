/* MCP's tools for the inside of a sandbox: commands and files. */
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/parse.h"
#include "mcp_tools.h"
#include "process.h"
#include "project.h"
#include "run.h"

enum {
	SECONDS_DEFAULT = 50, /* clients end a call after a minute */
	SECONDS_MAX = 3600,
	OUTPUT_MAX = 128 << 10, /* for the model's context */
	FILE_MAX = 1 << 20,
};

static int open_sandbox(struct site *site, const json_t *a, const char *scopes,
			struct sandbox *ret_sandbox, struct err *e)
{
	CLEANUP(json_decrefp) json_t *project = NULL;

	if (mcp_project(site, a, &project, e) < 0)
		return -1;
	return sandbox_open(site, project, scopes, ret_sandbox, e);
}

static int run(struct site *site, const json_t *a, json_t *command, json_t **ret_found,
	       struct err *e)
{
	CLEANUP(sandbox_close) struct sandbox sandbox = { 0 };
	CLEANUP(collected_release) struct collected collected;
	CLEANUP(json_decrefp) json_t *process = NULL;
	json_int_t seconds = json_integer_value(json_object_get(a, "timeoutSeconds"));

	collected_init(&collected, OUTPUT_MAX);
	if (seconds == 0)
		seconds = SECONDS_DEFAULT;
	if (seconds < 1 || seconds > SECONDS_MAX)
		return err_set(e, ERR_INVALID, NULL, "timeoutSeconds is from 1 to %d", SECONDS_MAX);
	struct process_options options = {
		.command = command,
		.input = -1,
		.max_ms = (uint64_t)seconds * 1000,
		.write = collected_add,
		.user = &collected,
	};
	if (open_sandbox(site, a, "exec", &sandbox, e) < 0 ||
	    process_run(&sandbox, &options, &process, e) < 0)
		return -1;
	*ret_found = collected_json(&collected, process);
	return 0;
}

int mcp_run_command(struct site *site, const json_t *a, json_t **ret_found, struct err *e)
{
	return run(site, a, json_object_get(a, "command"), ret_found, e);
}

/* Options and expressions are separate words: no shell interprets them. */
int mcp_search_files(struct site *site, const json_t *a, json_t **ret_found, struct err *e)
{
	const char *path = mcp_string(a, "path");
	CLEANUP(json_decrefp)
	json_t *command = json_pack("[s, s, s, s, s, s, s, s]", "grep", "-rnIE", "--max-count=50",
				    "--exclude-dir=node_modules", "--exclude-dir=.git", "-e",
				    mcp_string(a, "pattern"), "--");

	(void)json_array_append_new(command, json_string(path != NULL ? path : "."));
	return run(site, a, command, ret_found, e);
}

/* ---- files ----------------------------------------------------------------------------------- */

static char *file_path(const json_t *a, const char *what)
{
	CLEANUP(cleanup_free) char *escaped = site_escape(mcp_string(a, "path"));

	return mem_printf("/v1/files%spath=%s", what, escaped);
}

static int exchange(struct sandbox *s, const struct exchange_request *r, struct exchange *x,
		    struct err *e)
{
	exchange_begin(&s->server, r, x);
	return exchange_end(&s->server, x, curl_easy_perform(x->curl), e);
}

int mcp_read_file(struct site *site, const json_t *a, json_t **ret_found, struct err *e)
{
	CLEANUP(sandbox_close) struct sandbox sandbox = { 0 };
	CLEANUP(cleanup_free) char *path = file_path(a, "?");
	CLEANUP(exchange_release) struct exchange x = { 0 };

	if (open_sandbox(site, a, "files:read", &sandbox, e) < 0 ||
	    exchange(&sandbox, &(struct exchange_request) { .method = "GET", .path = path }, &x,
		     e) < 0)
		return -1;
	if (x.answer.length > FILE_MAX ||
	    !parse_is_utf8(x.answer.data ? x.answer.data : "", x.answer.length))
		return err_set(e, ERR_UNPROCESSABLE, "NOT_TEXT",
			       "the file is not text of at most 1 MiB: look at it with a command");
	*ret_found = json_pack("{s:s, s:o}", "path", mcp_string(a, "path"), "content",
			       json_stringn(x.answer.data ? x.answer.data : "", x.answer.length));
	return 0;
}

int mcp_write_file(struct site *site, const json_t *a, json_t **ret_found, struct err *e)
{
	CLEANUP(sandbox_close) struct sandbox sandbox = { 0 };
	CLEANUP(cleanup_free) char *path = file_path(a, "?parents=true&");
	CLEANUP(exchange_release) struct exchange x = { 0 };
	const json_t *content = json_object_get(a, "content");
	struct exchange_request request = {
		.method = "PUT",
		.path = path,
		.type = "application/octet-stream",
		.body = json_string_value(content),
		.length = json_string_length(content),
	};

	if (open_sandbox(site, a, "files:write", &sandbox, e) < 0 ||
	    exchange(&sandbox, &request, &x, e) < 0)
		return -1;
	*ret_found = json_pack("{s:s, s:I}", "path", mcp_string(a, "path"), "bytes",
			       (json_int_t)request.length);
	return 0;
}

static int get(struct site *site, const json_t *a, const char *scope, const char *path,
	       json_t **ret_found, struct err *e)
{
	CLEANUP(sandbox_close) struct sandbox sandbox = { 0 };

	if (open_sandbox(site, a, scope, &sandbox, e) < 0)
		return -1;
	if (site_call(&sandbox.server, "GET", path, NULL, ret_found, e) < 0)
		return -1;
	if (json_is_object(*ret_found))
		return 0;
	json_decref(*ret_found);
	return err_set(e, ERR_INTERNAL, "NOT_A_SANDBOX",
		       "the sandbox's response is not a JSON object");
}

int mcp_list_files(struct site *site, const json_t *a, json_t **ret_found, struct err *e)
{
	CLEANUP(cleanup_free) char *path = file_path(a, "/list?");

	return get(site, a, "files:read", path, ret_found, e);
}

/* ---- ports and logs -------------------------------------------------------------------------- */

int mcp_list_ports(struct site *site, const json_t *a, json_t **ret_found, struct err *e)
{
	return get(site, a, "ports", "/v1/ports", ret_found, e);
}

/* The last OUTPUT_MAX bytes of the log. */
static json_t *end_of_log(const char *log, struct buf *text)
{
	size_t dropped = text->length > OUTPUT_MAX ? text->length - OUTPUT_MAX : 0;
	json_t *found;

	if (dropped > 0)
		memmove(text->data, text->data + dropped, text->length - dropped + 1);
	text->length -= dropped;
	found = json_pack("{s:s, s:o}", "log", log, "text", run_text(text));
	if (dropped > 0)
		(void)json_object_set_new(found, "bytesNotShown",
					  json_integer((json_int_t)dropped));
	return found;
}

int mcp_read_log(struct site *site, const json_t *a, json_t **ret_found, struct err *e)
{
	CLEANUP(sandbox_close) struct sandbox sandbox = { 0 };
	CLEANUP(exchange_release) struct exchange x = { 0 };
	const char *log = mcp_string(a, "log");
	CLEANUP(cleanup_free) char *path = mem_printf("/v1/logs/%s", log != NULL ? log : "app");

	if (log != NULL && strcmp(log, "app") != 0 && strcmp(log, "start") != 0)
		return err_set(e, ERR_INVALID, NULL, "log is app or start");
	if (open_sandbox(site, a, "usage", &sandbox, e) < 0 ||
	    exchange(&sandbox, &(struct exchange_request) { .method = "GET", .path = path }, &x,
		     e) < 0)
		return -1;
	*ret_found = end_of_log(log != NULL ? log : "app", &x.answer);
	return 0;
}
