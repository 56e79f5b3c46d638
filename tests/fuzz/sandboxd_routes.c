/* sandboxd's route table for the target fuzz_sandboxd.c: a row for each way in which requests are
 * read, with handlers that touch nothing. */
#include "sandboxd/conn.h"
#include "sandboxd/route.h"
#include "sandboxd/websocket.h"

static int tell(struct conn *c, json_t *body, struct err *e)
{
	(void)e;
	conn_json(c, 200, json_pack("{s:O?}", "body", body));
	return 0;
}

static int take(struct conn *c, const char *data, size_t length, struct err *e)
{
	(void)c, (void)data, (void)length, (void)e;
	return 0;
}

static int echo(struct conn *c, const char *data, size_t length, struct err *e)
{
	(void)e;
	websocket_binary(c, "", 0, data, length);
	return 0;
}

static int repeat(struct conn *c, json_t *message, struct err *e)
{
	(void)e;
	websocket_json(c, json_incref(message));
	return 0;
}

static const struct conn_ops streaming = { .body = take };
static const struct conn_ops talking = { .message = repeat, .data = echo };

static int begin(struct conn *c, struct err *e)
{
	(void)e;
	conn_set_ops(c, &streaming, NULL);
	return 0;
}

static int talk(struct conn *c, json_t *body, struct err *e)
{
	(void)body, (void)e;
	conn_set_ops(c, &talking, NULL);
	return 0;
}

const struct route routes[] = {
	{ HTTP_GET, SCOPE_NONE, "/open", .handle = tell },
	{ HTTP_GET, SCOPE_EXEC, "/closed/:", .parameters = "a b", .handle = tell },
	{ HTTP_POST, SCOPE_EXEC, "/json", .body = BODY_JSON, .handle = tell },
	{ HTTP_POST, SCOPE_EXEC, "/bytes", .body = BODY_BYTES, .handle = tell },
	{ HTTP_PUT, SCOPE_EXEC, "/stream", .body = BODY_STREAM, .begin = begin, .handle = tell },
	{ HTTP_PUT, SCOPE_EXEC, "/chunks", .body = BODY_CHUNKS, .begin = begin, .handle = tell },
	{ HTTP_GET, SCOPE_EXEC, "/socket", .websocket = true, .handle = talk },
	{ .path = NULL },
};
