#include "sandboxd/websocket.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <nettle/base64.h>
#include <nettle/sha1.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "sandboxd/problem.h"
#include "sandboxd/route.h"

enum {
	TOKEN_WAIT_S = 10,
	PING_S = 30,
	CONTROL_MAX = 125,
	HEADER_MAX = 14,
	STRANGERS_MAX = 2 * TOKEN_MAX, /* for the message with the token */
};

enum opcode { CONTINUATION = 0, TEXT = 1, BINARY = 2, CLOSE = 8, PING = 9, PONG = 10 };

struct websocket {
	unsigned char header[HEADER_MAX];
	size_t header_length;
	bool in_payload;
	enum opcode opcode; /* of the frame */
	/* of the message whose fragments are arriving; CONTINUATION if none is */
	enum opcode message;
	bool last;
	unsigned char mask[4];
	uint64_t left, position;
	struct buf text, control;
	bool closing;
	int64_t opened, pinged;
};

void websocket_free(struct websocket *ws)
{
	if (ws == NULL)
		return;
	buf_wipe(&ws->text);
	buf_release(&ws->control);
	free(ws);
}

size_t websocket_size(const struct websocket *ws)
{
	return ws != NULL ? sizeof(*ws) + ws->text.allocated + ws->control.allocated : 0;
}

/* ---- sending ------------------------------------------------------------------------------- */

static void send_header(struct conn *c, enum opcode opcode, uint64_t length)
{
	unsigned char header[10] = { (unsigned char)(0x80 | opcode) };
	size_t used = 2, bytes = length < 126 ? 0 : length < 65536 ? 2 : 8;

	header[1] = bytes == 0 ? (unsigned char)length : bytes == 2 ? 126 : 127;
	for (size_t i = 0; i < bytes; i++)
		header[used++] = (unsigned char)(length >> (8 * (bytes - 1 - i)));
	conn_send(c, header, used);
}

static void send_frame(struct conn *c, enum opcode opcode, const void *data, size_t length)
{
	if (c->state != CONN_WEBSOCKET || c->ws->closing)
		return;
	send_header(c, opcode, length);
	conn_send(c, data, length);
}

void websocket_json(struct conn *c, json_t *json)
{
	char *text = json_dumps(json, JSON_COMPACT);

	send_frame(c, TEXT, text, strlen(text));
	free(text);
	json_decref(json);
}

void websocket_binary(struct conn *c, const void *head, size_t head_length, const void *data,
		      size_t length)
{
	if (c->state != CONN_WEBSOCKET || c->ws->closing)
		return;
	send_header(c, BINARY, head_length + length);
	conn_send(c, head, head_length);
	conn_send(c, data, length);
}

void websocket_close(struct conn *c, int code)
{
	unsigned char status[2] = { (unsigned char)(code >> 8), (unsigned char)code };

	if (c->state != CONN_WEBSOCKET || c->ws->closing)
		return;
	send_frame(c, CLOSE, status, sizeof(status));
	c->ws->closing = true;
	conn_finish(c);
}

void websocket_fail(struct conn *c, const struct err *e)
{
	int status = problem_status(e);

	websocket_json(c, json_pack("{s:s, s:i, s:s, s:s}", "type", "error", "status", status,
				    "errorCode", e->code, "error", e->message));
	if (status == 401 || status == 403)
		websocket_close(c, WS_TOKEN);
}

/* ---- the upgrade --------------------------------------------------------------------------- */

static void accept_key(const char *key, char *ret_accept)
{
	static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
	struct sha1_ctx sha1;
	uint8_t digest[SHA1_DIGEST_SIZE];

	sha1_init(&sha1);
	sha1_update(&sha1, strlen(key), (const uint8_t *)key);
	sha1_update(&sha1, strlen(guid), (const uint8_t *)guid);
	sha1_digest(&sha1, sizeof(digest), digest);
	base64_encode_raw(ret_accept, sizeof(digest), digest);
	ret_accept[BASE64_ENCODE_RAW_LENGTH(sizeof(digest))] = '\0';
}

int websocket_accept(struct conn *c, struct err *e)
{
	const char *key = c->request.values[HEADER_WS_KEY];
	const char *version = c->request.values[HEADER_WS_VERSION];
	const char *protocols = c->request.values[HEADER_WS_PROTOCOL];
	char accept[64], head[256];

	if (!c->parser.upgrade || key == NULL || strlen(key) != 24 || version == NULL ||
	    strcmp(version, "13") != 0 || c->request.method != HTTP_GET)
		return problem(e, "UPGRADE_REQUIRED", "this is a WebSocket (version 13)");
	accept_key(key, accept);
	(void)snprintf(head, sizeof(head),
		       "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
		       "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n%s\r\n",
		       accept,
		       protocols != NULL && strstr(protocols, "fsa.v1") != NULL
			       ? "Sec-WebSocket-Protocol: fsa.v1\r\n"
			       : "");
	conn_send(c, head, strlen(head));
	c->head_sent = true;
	c->state = CONN_WEBSOCKET;
	c->ws = mem_calloc(1, sizeof(*c->ws));
	c->ws->text = BUF_INIT(c->granted ? BODY_MAX : STRANGERS_MAX);
	c->ws->control = BUF_INIT(CONTROL_MAX);
	c->ws->opened = c->ws->pinged = loop_now();
	return 0;
}

void websocket_tick(struct conn *c, int64_t now)
{
	struct err e;
	bool expired = c->granted && c->grant.expires <= time(NULL);

	if (expired || (!c->granted && now - c->ws->opened > TOKEN_WAIT_S)) {
		(void)problem(&e, "UNAUTHORIZED",
			      expired ? "the token has expired: make another one at the site"
				      : "no token came within %d seconds",
			      TOKEN_WAIT_S);
		websocket_fail(c, &e);
	} else if (now - c->ws->pinged >= PING_S && conn_pending(c) == 0) {
		c->ws->pinged = now;
		send_frame(c, PING, "", 0);
	}
}

/* ---- receiving ----------------------------------------------------------------------------- */

static int handle_text(struct conn *c, struct err *e)
{
	struct buf *text = &c->ws->text;
	json_error_t error;
	json_t *json = json_loadb(text->data != NULL ? text->data : "", text->length,
				  JSON_REJECT_DUPLICATES, &error);
	const char *type = json_string_value(json_object_get(json, "type"));
	int done;

	if (type == NULL)
		done = problem(e, "INVALID_REQUEST", "a text message is a JSON object with type");
	else if (strcmp(type, "token") == 0)
		done = route_take_token(c, json_string_value(json_object_get(json, "token")), e);
	else if (!c->granted || c->ops == NULL || c->ops->message == NULL)
		done = problem(e, c->granted ? "INVALID_REQUEST" : "UNAUTHORIZED",
			       c->granted ? "no such message here" : "the token comes first");
	else
		done = c->ops->message(c, json, e);
	json_decref(json);
	buf_wipe(text);
	text->max = c->granted ? BODY_MAX : STRANGERS_MAX;
	return done;
}

static int handle_control(struct conn *c)
{
	struct websocket *ws = c->ws;

	if (ws->opcode == PING)
		send_frame(c, PONG, ws->control.data, ws->control.length);
	if (ws->opcode == CLOSE)
		websocket_close(c, WS_NORMAL);
	buf_reset(&ws->control);
	return 0;
}

static int end_frame(struct conn *c, struct err *e)
{
	struct websocket *ws = c->ws;
	enum opcode message = ws->message;

	ws->in_payload = false;
	ws->header_length = 0;
	if (ws->opcode >= CLOSE)
		return handle_control(c);
	if (!ws->last)
		return 0;
	ws->message = CONTINUATION;
	return message == TEXT ? handle_text(c, e) : 0;
}

static int take_payload(struct conn *c, char *data, size_t length, struct err *e)
{
	struct websocket *ws = c->ws;

	for (size_t i = 0; i < length; i++)
		data[i] = (char)((unsigned char)data[i] ^ ws->mask[(ws->position + i) % 4]);
	ws->position += length;
	ws->left -= length;
	if (ws->opcode >= CLOSE)
		return buf_append(&ws->control, data, length, e);
	if (ws->message == TEXT)
		return buf_append(&ws->text, data, length, e);
	if (!c->granted || c->ops == NULL || c->ops->data == NULL)
		return problem(e, c->granted ? "INVALID_REQUEST" : "UNAUTHORIZED",
			       "data is not accepted at this point");
	return c->ops->data(c, data, length, e);
}

/* Returns the header's length as far as it is known. */
static size_t header_size(const struct websocket *ws)
{
	unsigned length = ws->header[1] & 0x7f;

	if (ws->header_length < 2)
		return 2;
	return 2 + (length == 126 ? 2U : length == 127 ? 8U : 0U) + 4;
}

static uint64_t payload_length(const unsigned char *header)
{
	uint64_t length = header[1] & 0x7f;
	size_t bytes = length == 126 ? 2 : length == 127 ? 8 : 0;

	if (bytes > 0)
		length = 0;
	for (size_t i = 0; i < bytes; i++)
		length = length << 8 | header[2 + i];
	return length;
}

/* Whether the frame is valid here: masked, without extensions, and control frames unfragmented. */
static bool is_allowed(const struct websocket *ws, enum opcode opcode, bool last, uint64_t length)
{
	if ((ws->header[0] & 0x70) != 0 || (ws->header[1] & 0x80) == 0)
		return false;
	if (opcode >= CLOSE)
		return opcode <= PONG && last && length <= CONTROL_MAX;
	if (opcode == CONTINUATION)
		return ws->message != CONTINUATION;
	return opcode <= BINARY && ws->message == CONTINUATION;
}

static bool begin_frame(struct websocket *ws)
{
	enum opcode opcode = ws->header[0] & 0x0f;
	bool last = (ws->header[0] & 0x80) != 0;
	uint64_t length = payload_length(ws->header);

	if (!is_allowed(ws, opcode, last, length))
		return false;
	ws->opcode = opcode;
	ws->left = length;
	if (opcode < CLOSE)
		ws->last = last;
	if (opcode == TEXT || opcode == BINARY)
		ws->message = opcode;
	memcpy(ws->mask, ws->header + header_size(ws) - 4, 4);
	ws->position = 0;
	ws->in_payload = true;
	return true;
}

static size_t take_header(struct conn *c, const char *data, size_t length)
{
	struct websocket *ws = c->ws;
	size_t used = 0;

	while (used < length && ws->header_length < header_size(ws))
		ws->header[ws->header_length++] = (unsigned char)data[used++];
	if (ws->header_length == header_size(ws) && !begin_frame(ws))
		websocket_close(c, WS_PROTOCOL);
	return used;
}

size_t websocket_feed(struct conn *c, const char *data, size_t length)
{
	struct websocket *ws = c->ws;
	struct err e = { .code = "" };
	char piece[4096];
	size_t used = 0, part = 0;
	int done = 0;

	if (ws->closing)
		return length;
	if (!ws->in_payload)
		used = take_header(c, data, length);
	if (!ws->in_payload)
		return used;
	part = length - used < sizeof(piece) ? length - used : sizeof(piece);
	part = part < ws->left ? part : (size_t)ws->left;
	memcpy(piece, data + used, part);
	if (part > 0)
		done = take_payload(c, piece, part, &e);
	if (done == 0 && ws->left == 0)
		done = end_frame(c, &e);
	if (done < 0 && c->state == CONN_WEBSOCKET) {
		websocket_fail(c, &e);
		if (ws->left > 0 || e.kind == ERR_TOO_LARGE)
			websocket_close(c, e.kind == ERR_TOO_LARGE ? WS_TOO_LARGE : WS_REFUSED);
	}
	return used + part;
}
