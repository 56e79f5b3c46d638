#include "websocket.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/parse.h"

enum {
	FRAME_MAX = 1 << 20,
	BUFFER_MAX = 2 << 20,
	HEAD_MAX = 16384, /* of the handshake's response */
	HANDSHAKE_MS = 30000,
	SHORT_MAX = 125, /* lengths that fit into the second byte */
	LENGTH_16 = 126,
	LENGTH_64 = 127,
	FINAL = 0x80,
	MASKED = 0x80,
	OPCODE = 0x0f,
	CONTINUATION = 0,
	PING = 9,
	PONG = 10,
	READ_MAX = 16384,
};

static int lost(CURLcode code, struct err *e)
{
	return err_set(e, ERR_UNAVAILABLE, "CONNECTION_LOST",
		       "the connection to the sandbox ended: %s", curl_easy_strerror(code));
}

/* ---- frames ---------------------------------------------------------------------------------- */

void websocket_send(struct websocket *ws, enum websocket_type type, const void *data, size_t length)
{
	unsigned char head[8] = { FINAL | (unsigned char)type }, mask[4];
	const unsigned char *from = data;
	size_t size = 2;
	struct err never;

	if (length <= SHORT_MAX) {
		head[1] = (unsigned char)(MASKED | length);
	} else {
		head[1] = MASKED | LENGTH_16;
		head[2] = (unsigned char)(length >> 8);
		head[3] = (unsigned char)length;
		size = 4;
	}
	if (getrandom(mask, sizeof(mask), 0) != (ssize_t)sizeof(mask))
		abort(); /* there is no such Linux */
	memcpy(head + size, mask, sizeof(mask));
	(void)buf_append(&ws->out, head, size + sizeof(mask), &never);
	for (size_t i = 0; i < length; i++) {
		unsigned char byte = from[i] ^ mask[i % sizeof(mask)];
		(void)buf_append(&ws->out, &byte, 1, &never);
	}
}

static void drop(struct buf *b, size_t length)
{
	if (length == 0)
		return;
	memmove(b->data, b->data + length, b->length - length);
	b->length -= length;
}

int websocket_flush(struct websocket *ws, struct err *e)
{
	size_t sent = 0;

	while (ws->out.length > 0) {
		CURLcode code = curl_easy_send(ws->curl, ws->out.data, ws->out.length, &sent);
		if (code == CURLE_AGAIN)
			return 0;
		if (code != CURLE_OK)
			return lost(code, e);
		drop(&ws->out, sent);
	}
	return 0;
}

/* Returns 1 if `in` begins with a complete frame, 0 if part of it is missing. */
static int find_frame(const struct websocket *ws, size_t *ret_head, size_t *ret_length,
		      struct err *e)
{
	const unsigned char *at = (const unsigned char *)ws->in.data;
	uint64_t length = ws->in.length < 2 ? 0 : at[1];
	size_t more = length == LENGTH_16 ? 2 : length == LENGTH_64 ? 8 : 0;

	if (ws->in.length < 2 + more)
		return 0;
	if (more > 0)
		length = 0;
	for (size_t i = 0; i < more; i++)
		length = length << 8 | at[2 + i];
	if (length > FRAME_MAX || (at[1] & MASKED) != 0)
		return err_set(e, ERR_INTERNAL, "NOT_A_SANDBOX",
			       "the sandbox's WebSocket has a frame that is none");
	*ret_head = 2 + more;
	*ret_length = length;
	return ws->in.length >= *ret_head + length ? 1 : 0;
}

/* The frame that was returned last is dropped at the next call: it is `consumed` bytes long. */
static int take_frame(struct websocket *ws, struct websocket_message *ret_message, struct err *e)
{
	size_t head = 0, length = 0;
	int found;

	drop(&ws->in, ws->consumed);
	ws->consumed = 0;
	if ((found = find_frame(ws, &head, &length, e)) <= 0)
		return found;
	unsigned opcode = (unsigned char)ws->in.data[0] & OPCODE;
	if (opcode != CONTINUATION)
		ws->type = (enum websocket_type)opcode;
	*ret_message = (struct websocket_message) { .type = ws->type,
						    .data = ws->in.data + head,
						    .length = length };
	ws->consumed = head + length;
	return 1;
}

static int read_more(struct websocket *ws, struct err *e)
{
	char data[READ_MAX];
	size_t got = 0;
	CURLcode code = curl_easy_recv(ws->curl, data, sizeof(data), &got);

	if (code == CURLE_AGAIN)
		return 0;
	if (code != CURLE_OK || got == 0)
		return lost(code != CURLE_OK ? code : CURLE_GOT_NOTHING, e);
	return buf_append(&ws->in, data, got, e) < 0 ? -1 : 1;
}

int websocket_receive(struct websocket *ws, struct websocket_message *ret_message, struct err *e)
{
	int status;

	for (;;) {
		while ((status = take_frame(ws, ret_message, e)) == 1) {
			if ((unsigned)ret_message->type == PING)
				websocket_send(ws, (enum websocket_type)PONG, ret_message->data,
					       ret_message->length < SHORT_MAX ? ret_message->length
									       : SHORT_MAX);
			else if ((unsigned)ret_message->type != PONG)
				return 1;
		}
		if (status < 0 || (status = read_more(ws, e)) <= 0)
			return status;
	}
}

/* ---- the handshake --------------------------------------------------------------------------- */

/* Sec-WebSocket-Accept is not verified: it protects from servers that do not understand the
 * protocol, and the sandbox's first message shows that it does. */
static int send_request(struct websocket *ws, const struct site *server, const char *path,
			struct err *e)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
	unsigned char bytes[21];
	char key[sizeof(bytes) + 4] = "";
	struct err never;

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		abort(); /* there is no such Linux */
	for (size_t i = 0; i < sizeof(bytes); i++)
		key[i] = digits[bytes[i] % (sizeof(digits) - 1)];
	memcpy(key + sizeof(bytes), "A==", sizeof("A=="));
	CLEANUP(cleanup_free)
	char *head = mem_printf("GET %s HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\n"
				"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
				"Sec-WebSocket-Key: %s\r\nSec-WebSocket-Protocol: fsa.v1\r\n"
				"Authorization: Bearer %s\r\n\r\n",
				path, strstr(server->url, "://") + 3, key, server->token);
	(void)buf_append(&ws->out, head, strlen(head), &never);
	explicit_bzero(head, strlen(head));
	return websocket_flush(ws, e);
}

static int refused(const struct buf *in, struct err *e)
{
	uint64_t status = 0;
	char number[4] = "";

	if (in->length >= strlen("HTTP/1.1 101"))
		memcpy(number, in->data + strlen("HTTP/1.1 "), 3);
	(void)parse_u64(number, 0, 999, &status);
	return err_set(e, status == 401 ? ERR_UNAUTHENTICATED : ERR_UNAVAILABLE, "NOT_A_WEBSOCKET",
		       "the sandbox refuses the connection, with status %llu",
		       (unsigned long long)status);
}

static int read_response(struct websocket *ws, struct err *e)
{
	const char *end = NULL;
	struct pollfd fd = { .fd = ws->fd, .events = POLLIN };

	while (end == NULL) {
		int status = websocket_flush(ws, e) < 0 ? -1 : read_more(ws, e);
		if (status < 0)
			return -1;
		if (ws->in.length > 0)
			end = memmem(ws->in.data, ws->in.length, "\r\n\r\n", 4);
		if (end == NULL && ws->in.length > HEAD_MAX)
			return err_set(e, ERR_INTERNAL, "NOT_A_SANDBOX", "that is no sandbox");
		if (status == 0 && end == NULL && poll(&fd, 1, HANDSHAKE_MS) <= 0)
			return err_set(e, ERR_UNAVAILABLE, "SITE_UNREACHABLE",
				       "the sandbox does not answer");
	}
	if (strncmp(ws->in.data, "HTTP/1.1 101", strlen("HTTP/1.1 101")) != 0)
		return refused(&ws->in, e);
	drop(&ws->in, (size_t)(end + 4 - ws->in.data));
	return 0;
}

int websocket_open(const struct site *server, const char *path, struct websocket *ret_ws,
		   struct err *e)
{
	struct websocket ws = { .in = BUF_INIT(BUFFER_MAX), .out = BUF_INIT(BUFFER_MAX) };
	CURLcode code;

	ws.curl = site_connect_only(server);
	code = curl_easy_perform(ws.curl);
	if (code == CURLE_OK)
		code = curl_easy_getinfo(ws.curl, CURLINFO_ACTIVESOCKET, &ws.fd);
	if (code != CURLE_OK)
		(void)err_set(e, ERR_UNAVAILABLE, "SITE_UNREACHABLE", "%s cannot be reached: %s",
			      server->url, curl_easy_strerror(code));
	if (code != CURLE_OK || send_request(&ws, server, path, e) < 0 ||
	    read_response(&ws, e) < 0) {
		websocket_close(&ws);
		return -1;
	}
	*ret_ws = ws;
	return 0;
}

void websocket_close(struct websocket *ws)
{
	curl_easy_cleanup(ws->curl);
	buf_wipe(&ws->in);
	buf_wipe(&ws->out);
	ws->curl = NULL;
}
