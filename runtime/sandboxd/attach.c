/* Processes over a WebSocket: one after the other on a connection, with everything that flows. */
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "sandboxd/handlers.h"
#include "sandboxd/problem.h"
#include "sandboxd/process.h"
#include "sandboxd/websocket.h"

enum { PART = 16384 };

struct attachment {
	struct observer observer; /* its process is NULL if it is attached to none */
	struct conn *conn;
	bool attached;
	uint64_t next[OUTPUTS]; /* offset of what is to be sent next */
	uint64_t told_input;
};

static const char *const stream_names[OUTPUTS] = { "stdout", "stderr" };

/* ---- to the client ------------------------------------------------------------------------- */

static void report_loss(struct attachment *a, enum output which, uint64_t to)
{
	websocket_json(a->conn, json_pack("{s:s, s:s, s:I, s:I}", "type", "lost", "stream",
					  stream_names[which], "from", (json_int_t)a->next[which],
					  "to", (json_int_t)to));
	a->next[which] = to;
}

/* Sends a part of a stream; returns false if there is none. */
static bool send_part(struct attachment *a, enum output which)
{
	const struct ring *ring = &a->observer.process->streams[which].ring;
	unsigned char head[9] = { (unsigned char)(which + 1) };
	const char *data;
	size_t length;

	if (a->next[which] < ring->start)
		report_loss(a, which, ring->start);
	length = ring_peek(ring, a->next[which], &data);
	if (length == 0)
		return false;
	length = length < PART ? length : PART;
	for (size_t i = 0; i < 8; i++)
		head[1 + i] = (unsigned char)(a->next[which] >> (8 * (7 - i)));
	websocket_binary(a->conn, head, sizeof(head), data, length);
	a->next[which] += length;
	return true;
}

static json_t *typed(const char *type, json_t *json)
{
	json_object_set_new(json, "type", json_string(type));
	return json;
}

static void detach(struct attachment *a)
{
	process_unobserve(&a->observer);
	a->attached = false;
}

static void report_input(struct attachment *a)
{
	uint64_t taken = a->observer.process->input.taken;

	if (taken == a->told_input)
		return;
	a->told_input = taken;
	websocket_json(a->conn,
		       json_pack("{s:s, s:I}", "type", "stdin", "stdinOffset", (json_int_t)taken));
}

/* As much as the connection accepts: a slow client's output waits in the ring, not in the
 * connection. */
static void produce(struct conn *c)
{
	struct attachment *a = c->context;
	bool more = a->attached;

	if (!a->attached)
		return;
	while (more && conn_pending(c) < OUT_FULL) {
		more = send_part(a, STDOUT);
		more |= send_part(a, STDERR);
	}
	report_input(a);
	if (!more && a->observer.process->ended) {
		websocket_json(c, typed("exit", process_json(a->observer.process)));
		detach(a);
	}
}

static void changed(struct observer *o)
{
	struct attachment *a = CONTAINER_OF(o, struct attachment, observer);
	struct err e;

	if (o->process == NULL && a->attached) {
		a->attached = false;
		(void)problem(&e, "NOT_FOUND", "the process was removed");
		websocket_fail(a->conn, &e);
	}
	conn_run(a->conn);
}

/* ---- from the client ----------------------------------------------------------------------- */

static int attach(struct attachment *a, struct process *p, uint64_t out, uint64_t error,
		  struct err *e)
{
	if (out > p->streams[STDOUT].ring.end || error > p->streams[STDERR].ring.end)
		return problem(e, "WRONG_OFFSET", "the offset is beyond the output so far");
	a->next[STDOUT] = out;
	a->next[STDERR] = error;
	process_acknowledge(p, STDOUT, out);
	process_acknowledge(p, STDERR, error);
	process_observe(p, &a->observer);
	a->attached = true;
	a->told_input = p->input.taken;
	websocket_json(a->conn, typed("process", process_json(p)));
	return 0;
}

static int on_start(struct attachment *a, json_t *message, struct err *e)
{
	json_t *key = json_incref(json_object_get(message, "idempotencyKey"));
	struct process *p;
	int done = -1;

	json_object_del(message, "type");
	json_object_del(message, "idempotencyKey");
	if (key == NULL || json_is_string(key))
		done = process_start(message, json_string_value(key), &a->conn->grant, &p, e);
	else
		(void)problem(e, "INVALID_REQUEST", "idempotencyKey must be a string");
	json_decref(key);
	return done < 0 ? -1
			: attach(a, p, p->streams[STDOUT].ring.start, p->streams[STDERR].ring.start,
				 e);
}

static int on_attach(struct attachment *a, json_t *message, struct err *e)
{
	const char *id;
	json_int_t out = 0, error = 0;
	struct process *p;

	if (json_unpack(message, "{s:s, s:s, s?I, s?I !}", "type", &id, "id", &id, "stdout", &out,
			"stderr", &error) != 0 ||
	    out < 0 || error < 0)
		return problem(e, "INVALID_REQUEST", "attach has id, stdout and stderr");
	return process_get(id, &p, e) < 0 ? -1 : attach(a, p, (uint64_t)out, (uint64_t)error, e);
}

static int on_ack(struct attachment *a, json_t *message, struct err *e)
{
	for (size_t i = 0; i < OUTPUTS; i++) {
		json_int_t offset = json_integer_value(json_object_get(message, stream_names[i]));
		if (offset < 0 || (uint64_t)offset > a->next[i])
			return problem(e, "WRONG_OFFSET",
				       "the offset is beyond what was sent so far");
		process_acknowledge(a->observer.process, (enum output)i, (uint64_t)offset);
	}
	return 0;
}

static int on_end(struct attachment *a, json_t *message, struct err *e)
{
	(void)message;
	return process_end_input(a->observer.process, e);
}

static int on_size(struct attachment *a, json_t *message, struct err *e)
{
	return process_resize(a->observer.process, message, e);
}

static int on_signal(struct attachment *a, json_t *message, struct err *e)
{
	return process_signal(a->observer.process,
			      json_string_value(json_object_get(message, "signal")), e);
}

static const struct {
	const char *type;
	bool attached;
	int (*take)(struct attachment *a, json_t *message, struct err *e);
} messages[] = {
	{ "start", false, on_start }, { "attach", false, on_attach }, { "ack", true, on_ack },
	{ "end", true, on_end },      { "size", true, on_size },      { "signal", true, on_signal },
};

static int message(struct conn *c, json_t *json, struct err *e)
{
	struct attachment *a = c->context;
	const char *type = json_string_value(json_object_get(json, "type"));

	for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
		if (strcmp(messages[i].type, type) != 0)
			continue;
		if (messages[i].attached && !a->attached)
			return 0; /* it has ended since */
		if (!messages[i].attached && a->attached)
			return problem(e, "BUSY", "the connection is already attached");
		return messages[i].take(a, json, e);
	}
	return problem(e, "INVALID_REQUEST", "unknown type %.40s", type);
}

static int data(struct conn *c, const char *bytes, size_t length, struct err *e)
{
	struct attachment *a = c->context;
	struct process *p = a->observer.process;
	size_t taken;

	if (!a->attached || p->input.watch.fd < 0)
		return 0; /* it has ended or closed its input since */
	if (process_write(p, bytes, length, &taken, e) < 0)
		return -1;
	if (taken == length)
		return 0;
	(void)problem(e, "TOO_LARGE", "more than %d bytes of input beyond stdinOffset", STDIN_MAX);
	e->kind = ERR_TOO_LARGE;
	return -1;
}

static void closed(struct conn *c)
{
	struct attachment *a = c->context;

	process_unobserve(&a->observer);
	loop_free(a);
}

static const struct conn_ops attached_ops = {
	.produce = produce, .message = message, .data = data, .closed = closed
};

int attach_open(struct conn *c, json_t *body, struct err *e)
{
	struct attachment *a = mem_calloc(1, sizeof(*a));

	(void)body;
	(void)e;
	a->conn = c;
	a->observer.changed = changed;
	conn_set_ops(c, &attached_ops, a);
	return 0;
}
