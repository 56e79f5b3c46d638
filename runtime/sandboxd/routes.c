#include "sandboxd/handlers.h"
#include "sandboxd/route.h"

#define READ  SCOPE_FILES_READ
#define WRITE SCOPE_FILES_WRITE
#define EXEC  SCOPE_EXEC

/* One row an operation; openapi.yaml has the same ones, and a test compares them. */
const struct route routes[] = {
	{ HTTP_GET, "/v1/health", SCOPE_NONE, .handle = health_read },
	/* ttyd's own */
	{ HTTP_GET, "/", SCOPE_NONE, .handle = terminal_page },
	{ HTTP_GET, "/ws", SCOPE_NONE, .keep_upgrade = true, .handle = terminal_socket },
	{ HTTP_GET, "/token", SCOPE_NONE, .handle = terminal_token },

	{ HTTP_GET, "/v1/processes", EXEC, .handle = processes_list },
	{ HTTP_POST, "/v1/processes", EXEC, .body = BODY_JSON, .parameters = "wait",
	  .handle = processes_start },
	{ HTTP_GET, "/v1/processes/:", EXEC, .parameters = "wait", .handle = processes_read },
	{ HTTP_DELETE, "/v1/processes/:", EXEC, .handle = processes_remove },
	{ HTTP_POST, "/v1/processes/:/signal", EXEC, .body = BODY_JSON,
	  .handle = processes_signal },
	{ HTTP_POST, "/v1/processes/:/size", EXEC, .body = BODY_JSON, .handle = processes_resize },
	{ HTTP_POST, "/v1/processes/:/stdin", EXEC, .body = BODY_BYTES,
	  .parameters = "offset wait end", .handle = processes_write },
	{ HTTP_GET, "/v1/processes/:/stdout", EXEC, .parameters = "offset wait",
	  .handle = processes_stdout },
	{ HTTP_GET, "/v1/processes/:/stderr", EXEC, .parameters = "offset wait",
	  .handle = processes_stderr },
	{ HTTP_GET, "/v1/attach", EXEC, .websocket = true, .handle = attach_open },

	{ HTTP_GET, "/v1/files", READ, .parameters = "path", .handle = files_read },
	{ HTTP_PUT, "/v1/files", WRITE, .body = BODY_STREAM, .parameters = "path mode parents",
	  .begin = files_write_begin, .handle = files_write },
	{ HTTP_DELETE, "/v1/files", WRITE, .parameters = "path recursive", .handle = files_remove },
	{ HTTP_GET, "/v1/files/stat", READ, .parameters = "path", .handle = files_stat },
	{ HTTP_GET, "/v1/files/list", READ, .parameters = "path limit after",
	  .handle = files_list },
	{ HTTP_POST, "/v1/files/directory", WRITE, .body = BODY_JSON, .handle = files_directory },
	{ HTTP_POST, "/v1/files/move", WRITE, .body = BODY_JSON, .handle = files_move },

	{ HTTP_GET, "/v1/ports", SCOPE_PORTS, .handle = ports_list },
	{ HTTP_GET, "/v1/ports/:", SCOPE_PORTS, .websocket = true, .handle = ports_open },
	{ HTTP_GET, "/v1/usage", SCOPE_USAGE, .handle = usage_read },
	{ HTTP_GET, "/v1/activity", SCOPE_USAGE, .handle = activity_read },
	{ HTTP_GET, "/v1/logs/:", SCOPE_USAGE, .parameters = "offset wait", .handle = logs_read },
	{ .path = NULL },
};
