#include "sandboxd/handlers.h"
#include "sandboxd/route.h"

#define READ  SCOPE_FILES_READ
#define WRITE SCOPE_FILES_WRITE
#define EXEC  SCOPE_EXEC

/* One row per operation; openapi.yaml has the same ones, and a test compares them. */
const struct route routes[] = {
	{ HTTP_GET, SCOPE_NONE, "/v1/health", .handle = health_read },
	/* ttyd's own */
	{ HTTP_GET, SCOPE_NONE, "/", .handle = terminal_page },
	{ HTTP_GET, SCOPE_NONE, "/ws", .keep_upgrade = true, .handle = terminal_socket },
	{ HTTP_GET, SCOPE_NONE, "/token", .handle = terminal_token },

	{ HTTP_GET, EXEC, "/v1/processes", .handle = processes_list },
	{ HTTP_POST, EXEC, "/v1/processes", .body = BODY_JSON, .parameters = "wait",
	  .handle = processes_start },
	{ HTTP_GET, EXEC, "/v1/processes/:", .parameters = "wait", .handle = processes_read },
	{ HTTP_DELETE, EXEC, "/v1/processes/:", .handle = processes_remove },
	{ HTTP_POST, EXEC, "/v1/processes/:/signal", .body = BODY_JSON,
	  .handle = processes_signal },
	{ HTTP_POST, EXEC, "/v1/processes/:/size", .body = BODY_JSON, .handle = processes_resize },
	{ HTTP_POST, EXEC, "/v1/processes/:/stdin", .body = BODY_BYTES,
	  .parameters = "offset wait end", .handle = processes_write },
	{ HTTP_GET, EXEC, "/v1/processes/:/stdout", .parameters = "offset wait",
	  .handle = processes_stdout },
	{ HTTP_GET, EXEC, "/v1/processes/:/stderr", .parameters = "offset wait",
	  .handle = processes_stderr },
	{ HTTP_GET, EXEC, "/v1/attach", .websocket = true, .handle = attach_open },

	{ HTTP_GET, READ, "/v1/files", .parameters = "path", .handle = files_read },
	{ HTTP_PUT, WRITE, "/v1/files", .body = BODY_STREAM, .parameters = "path mode parents",
	  .begin = files_write_begin, .handle = files_write },
	{ HTTP_DELETE, WRITE, "/v1/files", .parameters = "path recursive", .handle = files_remove },
	{ HTTP_GET, READ, "/v1/files/stat", .parameters = "path", .handle = files_stat },
	{ HTTP_GET, READ, "/v1/files/list", .parameters = "path limit after",
	  .handle = files_list },
	{ HTTP_GET, READ, "/v1/files/watch", .websocket = true, .handle = files_watch },
	{ HTTP_POST, WRITE, "/v1/files/directory", .body = BODY_JSON, .handle = files_directory },
	{ HTTP_POST, WRITE, "/v1/files/move", .body = BODY_JSON, .handle = files_move },

	{ HTTP_GET, READ, "/v1/files/tar", .parameters = "path strict", .handle = files_pack },
	{ HTTP_PUT, WRITE, "/v1/files/tar", .body = BODY_CHUNKS, .parameters = "path parents merge",
	  .begin = files_unpack_begin, .handle = files_unpack },

	{ HTTP_POST, WRITE, "/v1/uploads", .parameters = "path mode parents",
	  .handle = uploads_create },
	{ HTTP_GET, WRITE, "/v1/uploads/:", .handle = uploads_read },
	{ HTTP_PATCH, WRITE, "/v1/uploads/:", .body = BODY_STREAM, .begin = uploads_append_begin,
	  .handle = uploads_append },
	{ HTTP_DELETE, WRITE, "/v1/uploads/:", .handle = uploads_remove },

	{ HTTP_GET, SCOPE_PORTS, "/v1/ports", .handle = ports_list },
	{ HTTP_GET, SCOPE_PORTS, "/v1/ports/:", .websocket = true, .handle = ports_open },
	{ HTTP_GET, SCOPE_USAGE, "/v1/import", .handle = import_read },
	{ HTTP_GET, SCOPE_USAGE, "/v1/app", .handle = app_read },
	{ HTTP_POST, EXEC, "/v1/app/start", .handle = app_start },
	{ HTTP_POST, EXEC, "/v1/app/stop", .handle = app_stop },
	{ HTTP_POST, EXEC, "/v1/app/restart", .handle = app_restart },
	{ HTTP_GET, SCOPE_USAGE, "/v1/usage", .handle = usage_read },
	{ HTTP_GET, SCOPE_USAGE, "/v1/activity", .handle = activity_read },
	{ HTTP_GET, SCOPE_USAGE, "/v1/logs/:", .parameters = "offset wait", .handle = logs_read },
	{ .path = NULL },
};
