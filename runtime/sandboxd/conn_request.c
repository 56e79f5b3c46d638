/* How requests are read from a connection. */
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "sandboxd/conn_parts.h"
#include "sandboxd/problem.h"
#include "sandboxd/route.h"

#define CONTINUE "HTTP/1.1 100 Continue\r\n\r\n"

static struct conn *of_parser(http_parser *parser)
{
	return parser->data;
}

static int result(int done)
{
	return done < 0 ? 1 : 0;
}

static int on_url(http_parser *p, const char *at, size_t length)
{
	struct conn *c = of_parser(p);

	return result(request_add_target(&c->request, at, length, &c->error));
}

/* Whether it is a trailer: what was decided by the head stays so. */
static bool is_trailer(const struct conn *c)
{
	return c->head_sent || c->route != NULL;
}

static int on_header_field(http_parser *p, const char *at, size_t length)
{
	struct conn *c = of_parser(p);

	return is_trailer(c) ? 0 : result(request_add_name(&c->request, at, length, &c->error));
}

static int on_header_value(http_parser *p, const char *at, size_t length)
{
	struct conn *c = of_parser(p);

	return is_trailer(c) ? 0 : result(request_add_value(&c->request, at, length, &c->error));
}

static void new_request_id(struct conn *c)
{
	unsigned char random[8];

	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		memset(random, 0, sizeof(random));
	for (size_t i = 0; i < sizeof(random); i++)
		(void)snprintf(c->request_id + 2 * i, 3, "%02x", random[i]);
}

static bool expects_body(const struct conn *c)
{
	return (c->parser.flags & F_CHUNKED) != 0 ||
	       (c->parser.content_length != UINT64_MAX && c->parser.content_length > 0);
}

static bool is_streamed(const struct conn *c)
{
	return c->route->body == BODY_STREAM || c->route->body == BODY_CHUNKS;
}

static int check_body(struct conn *c)
{
	enum body body = c->route->body;

	if ((c->parser.flags & F_CHUNKED) != 0 && body != BODY_CHUNKS)
		return problem(&c->error, "LENGTH_REQUIRED", "a request needs a Content-Length");
	if (!expects_body(c))
		return 0;
	if (body == BODY_NONE)
		return problem(&c->error, "INVALID_REQUEST", "this request has no body");
	if (!is_streamed(c) && c->parser.content_length > BODY_MAX)
		return problem(&c->error, "TOO_LARGE", "a body has at most %d bytes here",
			       BODY_MAX);
	return 0;
}

static int on_headers_complete(http_parser *p)
{
	struct conn *c = of_parser(p);

	c->request.method = (enum http_method)p->method;
	c->keep = http_should_keep_alive(p) != 0;
	new_request_id(c);
	if (request_split(&c->request, &c->error) < 0 || route_begin(c, &c->error) < 0 ||
	    check_body(c) < 0)
		return -1;
	if (!c->route->websocket && !c->route->keep_upgrade)
		p->upgrade = 0;
	if (c->request.values[HEADER_EXPECT] != NULL && expects_body(c))
		conn_send(c, CONTINUE, sizeof(CONTINUE) - 1);
	if (c->route->begin != NULL && c->route->begin(c, &c->error) < 0)
		return -1;
	return 0;
}

static int on_body(http_parser *p, const char *at, size_t length)
{
	struct conn *c = of_parser(p);

	c->progress_at = loop_now();
	if (is_streamed(c))
		return c->ops == NULL ? 1 : result(c->ops->body(c, at, length, &c->error));
	return result(buf_append(&c->body, at, length, &c->error));
}

static int on_message_complete(http_parser *p)
{
	struct conn *c = of_parser(p);

	c->complete = true;
	http_parser_pause(p, 1);
	return 0;
}

static const http_parser_settings parser_settings = {
	.on_url = on_url,
	.on_header_field = on_header_field,
	.on_header_value = on_header_value,
	.on_headers_complete = on_headers_complete,
	.on_body = on_body,
	.on_message_complete = on_message_complete,
};

void conn_next_request(struct conn *c)
{
	conn_end_ops(c);
	request_release(&c->request);
	conn_trim(&c->body);
	http_parser_init(&c->parser, HTTP_REQUEST);
	c->parser.data = c;
	c->state = CONN_REQUEST;
	c->route = NULL;
	c->granted = c->complete = c->answered = c->head_sent = false;
	c->error = (struct err) { .code = "" };
	c->progress_at = loop_now();
}

static void handle(struct conn *c)
{
	struct err e = { .code = "" };

	c->state = CONN_ANSWER;
	if (route_handle(c, &e) < 0)
		conn_fail(c, &e);
}

static void refuse(struct conn *c)
{
	if (c->error.code[0] == '\0')
		(void)problem(&c->error, "INVALID_REQUEST", "malformed HTTP request: %s",
			      http_errno_description(HTTP_PARSER_ERRNO(&c->parser)));
	if (c->request_id[0] == '\0')
		new_request_id(c);
	conn_end_ops(c); /* what was begun is undone before the answer says so */
	conn_fail(c, &c->error);
}

size_t conn_parse(struct conn *c, const char *data, size_t length)
{
	size_t used = http_parser_execute(&c->parser, &parser_settings, data, length);
	enum http_errno number = HTTP_PARSER_ERRNO(&c->parser);

	if (c->complete) {
		if (number == HPE_PAUSED)
			http_parser_pause(&c->parser, 0);
		handle(c);
	} else if (number != HPE_OK) {
		refuse(c);
		used = length;
	}
	return used;
}
