/* mcp: a Model Context Protocol server on standard input and output: JSON-RPC 2.0, one message per
 * line. Each call of a tool has a thread, so several run at once, and one can be cancelled. The
 * tools are in mcp_tools.h. */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/mem.h"
#include "command.h"
#include "config.h"
#include "mcp_tools.h"

enum {
	LINE_MAX_BYTES = 16 << 20,
	CALLS_MAX = 16, /* concurrently */
	TOO_MANY = -32000,
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

/* A call of a tool, with a connection of its own to the site. */
struct mcp_call {
	struct mcp_server *server;
	const struct mcp_tool *tool;
	struct site site;
	json_t *id, *arguments;
	atomic_bool cancelled;
	bool taken; /* whether this place is in use */
};

struct mcp_server {
	struct site *site;
	pthread_mutex_t mutex; /* protects the calls */
	pthread_cond_t ended;  /* signalled when a call has ended */
	bool ending;           /* whether new calls are refused */
	struct mcp_call calls[CALLS_MAX];
};

/* ---- messages -------------------------------------------------------------------------------- */

/* The output is ASCII, so that nothing on the way misreads it. A line is written at once, from
 * whichever thread. */
static void answer(const json_t *id, const char *member, json_t *value)
{
	CLEANUP(json_decrefp)
	json_t *message = json_pack("{s:s, s:O, s:o}", "jsonrpc", "2.0", "id", id, member, value);

	flockfile(stdout);
	(void)json_dumpf(message, stdout, JSON_COMPACT | JSON_ENSURE_ASCII);
	(void)putchar_unlocked('\n');
	(void)fflush(stdout);
	funlockfile(stdout);
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

/* A cancelled call gets no response. */
static void *run_call(void *data)
{
	struct mcp_call *c = data;
	struct mcp_server *server = c->server;
	json_t *found = NULL;
	struct err e = { 0 };
	int status = mcp_tool_run(c->tool, &c->site, c->arguments, &found, &e);

	if (atomic_load(&c->cancelled))
		json_decref(found);
	else
		answer(c->id, "result", status < 0 ? tool_failed(&e) : tool_done(found));
	site_close(&c->site);
	(void)pthread_mutex_lock(&server->mutex);
	json_decref(c->id);
	json_decref(c->arguments);
	c->taken = false;
	(void)pthread_cond_broadcast(&server->ended);
	(void)pthread_mutex_unlock(&server->mutex);
	return NULL;
}

static struct mcp_call *take_place(struct mcp_server *server, const json_t *id)
{
	struct mcp_call *found = NULL;

	(void)pthread_mutex_lock(&server->mutex);
	for (size_t i = 0; i < CALLS_MAX && found == NULL; i++) {
		if (!server->calls[i].taken && !server->ending)
			found = &server->calls[i];
	}
	if (found != NULL) {
		found->taken = true;
		found->id = json_deep_copy(id);
		atomic_store(&found->cancelled, false);
	}
	(void)pthread_mutex_unlock(&server->mutex);
	return found;
}

static void call_tool(struct mcp_server *server, const json_t *id, const json_t *params)
{
	const char *name = json_string_value(json_object_get(params, "name"));
	const struct mcp_tool *tool = name != NULL ? mcp_tool_find(name) : NULL;
	const struct site *site = server->site;
	struct mcp_call *c;
	pthread_t thread;

	if (tool == NULL) {
		refuse(id, INVALID_PARAMS, "there is no such tool; tools/list has them");
		return;
	}
	if ((c = take_place(server, id)) == NULL) {
		refuse(id, TOO_MANY, "16 calls are running: wait for one, or cancel it");
		return;
	}
	c->server = server;
	c->tool = tool;
	c->arguments = json_deep_copy(json_object_get(params, "arguments"));
	site_open_with(site->url, site->token, site->ca_file, &c->site);
	c->site.cancelled = &c->cancelled;
	if (pthread_create(&thread, NULL, run_call, c) != 0)
		abort(); /* out of memory */
	(void)pthread_detach(thread);
}

/* Cancels the call with this id; if `id` is NULL, all calls, and refuses new ones. */
static void cancel(struct mcp_server *server, const json_t *id)
{
	(void)pthread_mutex_lock(&server->mutex);
	server->ending = server->ending || id == NULL;
	for (size_t i = 0; i < CALLS_MAX; i++) {
		struct mcp_call *c = &server->calls[i];
		if (c->taken && (id == NULL || json_equal(id, c->id)))
			atomic_store(&c->cancelled, true);
	}
	(void)pthread_mutex_unlock(&server->mutex);
}

/* When our input is closed, or a signal comes, the client has gone: its calls are ended, also in
 * the sandbox. */
static void end_calls(struct mcp_server *server)
{
	bool running = true;

	cancel(server, NULL);
	(void)pthread_mutex_lock(&server->mutex);
	while (running) {
		running = false;
		for (size_t i = 0; i < CALLS_MAX; i++)
			running |= server->calls[i].taken;
		if (running)
			(void)pthread_cond_wait(&server->ended, &server->mutex);
	}
	(void)pthread_mutex_unlock(&server->mutex);
}

static sigset_t ending_signals(void)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGHUP);
	return set;
}

/* Some clients close our input and send a signal soon afterwards. */
static void *await_signal(void *data)
{
	sigset_t set = ending_signals();
	int number;

	(void)sigwait(&set, &number);
	end_calls(data);
	(void)pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	(void)raise(number);
	return NULL;
}

/* Must come before any other thread is started, which would receive the signals. */
static void catch_signals(struct mcp_server *server)
{
	sigset_t set = ending_signals();
	pthread_t thread;

	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	if (pthread_create(&thread, NULL, await_signal, server) != 0)
		abort(); /* out of memory */
	(void)pthread_detach(thread);
}

/* ---- requests -------------------------------------------------------------------------------- */

static void notice(struct mcp_server *server, const char *method, const json_t *params)
{
	const json_t *id = json_object_get(params, "requestId");

	if (strcmp(method, "notifications/cancelled") == 0 && id != NULL)
		cancel(server, id);
}

static void handle(struct mcp_server *server, const json_t *message)
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
		notice(server, method, params);
	else if (strcmp(method, "initialize") == 0)
		answer(id, "result", initialize(params));
	else if (strcmp(method, "ping") == 0)
		answer(id, "result", json_object());
	else if (strcmp(method, "tools/list") == 0)
		answer(id, "result", json_pack("{s:o}", "tools", mcp_tools_list()));
	else if (strcmp(method, "tools/call") == 0)
		call_tool(server, id, params);
	else
		refuse(id, METHOD_NOT_FOUND, "there is no such method");
}

static void handle_line(struct mcp_server *server, const struct buf *line, bool too_long)
{
	json_error_t where;
	CLEANUP(json_decrefp)
	json_t *message = !too_long && line->length > 0
				  ? json_loadb(line->data, line->length, 0, &where)
				  : NULL;

	if (message != NULL)
		handle(server, message);
	else if (too_long)
		refuse(json_null(), INVALID_REQUEST, "a message has at most 16 MiB");
	else if (line->length > 0)
		refuse(json_null(), PARSE_ERROR, "a line is not JSON");
}

/* Reads a line, as much of it as fits. Returns false at the end of the input. */
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
	/* Never freed, as the thread that waits for a signal never ends. */
	struct mcp_server *server = mem_calloc(1, sizeof(*server));
	server->site = &site;
	(void)pthread_mutex_init(&server->mutex, NULL);
	(void)pthread_cond_init(&server->ended, NULL);
	json_object_seed(0); /* so that no thread has to */
	catch_signals(server);
	while (read_line(&line, &too_long))
		handle_line(server, &line, too_long);
	end_calls(server);
	return 0;
}
