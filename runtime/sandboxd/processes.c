/* Processes over plain HTTP: requests that wait for news of a process observe it. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "sandboxd/handlers.h"
#include "sandboxd/problem.h"
#include "sandboxd/process.h"

struct waiter {
	struct observer observer;
	struct conn *conn;
	/* Answers if it can, or if it `must`; returns whether it did. */
	bool (*try_answer)(struct waiter *w, struct process *p, bool must);
	int64_t until;
	int status;
	enum output which;
	uint64_t offset;
	bool end;
};

static char start_log[256];

/* ---- waiting ------------------------------------------------------------------------------- */

static void end_wait(struct conn *c)
{
	struct waiter *w = c->context;

	process_unobserve(&w->observer);
	loop_free(w);
}

static void look(struct waiter *w, bool must)
{
	struct conn *c = w->conn;
	struct process *p = w->observer.process;
	struct err e;

	if (p == NULL) {
		(void)problem(&e, "NOT_FOUND", "the process was removed");
		conn_fail(c, &e);
	} else if (!w->try_answer(w, p, must)) {
		return;
	}
	process_unobserve(&w->observer);
	conn_run(c);
}

static void changed(struct observer *o)
{
	struct waiter *w = CONTAINER_OF(o, struct waiter, observer);

	if (!w->conn->answered)
		look(w, false);
}

static void tick(struct conn *c, int64_t now)
{
	struct waiter *w = c->context;

	if (!c->answered && now >= w->until)
		look(w, true);
}

static const struct conn_ops waiting = { .tick = tick, .closed = end_wait };

static int begin_wait(struct conn *c, struct process *p, const struct waiter *how, struct err *e)
{
	struct waiter *w;
	uint64_t seconds;

	if (request_number(&c->request, "wait", WAIT_MAX_S, 0, &seconds, e) < 0)
		return -1;
	w = mem_calloc(1, sizeof(*w));
	*w = *how;
	w->conn = c;
	w->until = loop_now() + (int64_t)seconds;
	w->observer.changed = changed;
	if (seconds > 0) /* a request without waiting does not count as attendance */
		process_observe(p, &w->observer);
	conn_set_ops(c, &waiting, w);
	if (w->try_answer(w, p, seconds == 0))
		process_unobserve(&w->observer);
	return 0;
}

/* ---- the process itself -------------------------------------------------------------------- */

static bool answer_end(struct waiter *w, struct process *p, bool must)
{
	if (!must && !p->ended)
		return false;
	conn_json(w->conn, w->status, process_json(p));
	return true;
}

int processes_list(struct conn *c, json_t *body, struct err *e)
{
	json_t *list = json_array();
	struct process *p;

	(void)body;
	(void)e;
	for (p = process_first(); p != NULL; p = LIST_NEXT(p, entry))
		json_array_append_new(list, process_json(p));
	conn_json(c, 200, json_pack("{s:o}", "processes", list));
	return 0;
}

int processes_start(struct conn *c, json_t *body, struct err *e)
{
	struct process *p;
	uint64_t seconds;

	if (request_number(&c->request, "wait", WAIT_MAX_S, 0, &seconds, e) < 0 ||
	    process_start(body, c->request.values[HEADER_IDEMPOTENCY_KEY], &c->grant, &p, e) < 0)
		return -1;
	return begin_wait(c, p, &(struct waiter) { .try_answer = answer_end, .status = 201 }, e);
}

int processes_read(struct conn *c, json_t *body, struct err *e)
{
	struct process *p;

	(void)body;
	if (process_get(c->parameter, &p, e) < 0)
		return -1;
	return begin_wait(c, p, &(struct waiter) { .try_answer = answer_end, .status = 200 }, e);
}

int processes_remove(struct conn *c, json_t *body, struct err *e)
{
	struct process *p;

	(void)body;
	if (process_get(c->parameter, &p, e) < 0)
		return -1;
	process_remove(p);
	conn_empty(c, 204);
	return 0;
}

int processes_signal(struct conn *c, json_t *body, struct err *e)
{
	struct process *p;
	const char *name;

	if (process_get(c->parameter, &p, e) < 0)
		return -1;
	if (json_unpack(body, "{s:s !}", "signal", &name) != 0)
		return problem(e, "INVALID_REQUEST", "signal must be a name, and nothing else");
	if (process_signal(p, name, e) < 0)
		return -1;
	conn_empty(c, 204);
	return 0;
}

int processes_resize(struct conn *c, json_t *body, struct err *e)
{
	struct process *p;

	if (process_get(c->parameter, &p, e) < 0 || process_resize(p, body, e) < 0)
		return -1;
	conn_empty(c, 204);
	return 0;
}

/* ---- input --------------------------------------------------------------------------------- */

/* Passes on what fits; answers once the process has taken everything. */
static bool answer_input(struct waiter *w, struct process *p, bool must)
{
	struct conn *c = w->conn;
	uint64_t received = p->input.taken + p->input.pending.length;
	uint64_t last = w->offset + c->body.length;
	struct err e = { .code = "" };
	size_t taken;
	int done = 0;

	if (received < last)
		done = process_write(p, c->body.data + (received - w->offset),
				     (size_t)(last - received), &taken, &e);
	received = p->input.taken + p->input.pending.length;
	if (done == 0 && w->end && received >= last)
		done = process_end_input(p, &e);
	if (done < 0)
		conn_fail(c, &e);
	else if (must || p->input.taken >= last)
		conn_json(c, 200, process_json(p));
	else
		return false;
	return true;
}

int processes_write(struct conn *c, json_t *body, struct err *e)
{
	struct waiter how = { .try_answer = answer_input };
	struct process *p;
	uint64_t received;

	(void)body;
	if (process_get(c->parameter, &p, e) < 0)
		return -1;
	received = p->input.taken + p->input.pending.length;
	if (request_number(&c->request, "offset", INT64_MAX, received, &how.offset, e) < 0 ||
	    request_flag(&c->request, "end", &how.end, e) < 0)
		return -1;
	if (how.offset > received)
		return problem(e, "WRONG_OFFSET", "only %llu bytes were written so far",
			       (unsigned long long)received);
	if (how.offset + c->body.length > received && (p->input.end || p->input.watch.fd < 0))
		return problem(e, "STDIN_CLOSED", "its standard input is closed");
	return begin_wait(c, p, &how, e);
}

/* ---- output -------------------------------------------------------------------------------- */

static void answer_part(struct conn *c, const struct ring *ring, uint64_t offset, bool ended)
{
	char headers[128];

	(void)snprintf(headers, sizeof(headers),
		       "Output-Offset: %llu\r\nOutput-Next: %llu\r\nOutput-End: %s\r\n",
		       (unsigned long long)offset, (unsigned long long)ring->end,
		       ended ? "true" : "false");
	conn_begin(c, 200, "application/octet-stream", headers, (int64_t)(ring->end - offset));
	for (const char *data; c->request.method != HTTP_HEAD && offset < ring->end;) {
		size_t length = ring_peek(ring, offset, &data);
		conn_send(c, data, length);
		offset += length;
	}
	c->answered = true;
}

static bool answer_output(struct waiter *w, struct process *p, bool must)
{
	const struct ring *ring = &p->streams[w->which].ring;

	if (!must && w->offset >= ring->end && !p->ended)
		return false;
	answer_part(w->conn, ring, w->offset > ring->start ? w->offset : ring->start, p->ended);
	return true;
}

static int read_output(struct conn *c, struct process *p, enum output which, bool acknowledge,
		       struct err *e)
{
	struct waiter how = { .try_answer = answer_output, .which = which };
	const struct ring *ring = &p->streams[which].ring;

	if (request_number(&c->request, "offset", INT64_MAX, 0, &how.offset, e) < 0)
		return -1;
	if (how.offset > ring->end)
		return problem(e, "WRONG_OFFSET", "only %llu bytes were printed so far",
			       (unsigned long long)ring->end);
	if (acknowledge)
		process_acknowledge(p, which, how.offset);
	return begin_wait(c, p, &how, e);
}

int processes_stdout(struct conn *c, json_t *body, struct err *e)
{
	struct process *p;

	(void)body;
	return process_get(c->parameter, &p, e) < 0 ? -1 : read_output(c, p, STDOUT, true, e);
}

int processes_stderr(struct conn *c, json_t *body, struct err *e)
{
	struct process *p;

	(void)body;
	return process_get(c->parameter, &p, e) < 0 ? -1 : read_output(c, p, STDERR, true, e);
}
/* ---- logs ---------------------------------------------------------------------------------- */

static int read_start_log(struct conn *c, struct err *e)
{
	char content[16384];
	uint64_t offset;
	size_t length;
	/* A program in the sandbox may have replaced the file. */
	int fd = open(start_log, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	FILE *file = fd >= 0 ? fdopen(fd, "r") : NULL;

	length = file != NULL ? fread(content, 1, sizeof(content), file) : 0;
	if (file != NULL)
		(void)fclose(file);
	if (request_number(&c->request, "offset", INT64_MAX, 0, &offset, e) < 0)
		return -1;
	if (offset > length)
		return problem(e, "WRONG_OFFSET", "the log has %zu bytes", length);
	struct ring log = { .data = content, .size = length, .start = 0, .end = length };
	answer_part(c, &log, offset, true);
	return 0;
}

int logs_read(struct conn *c, json_t *body, struct err *e)
{
	struct process *p = process_named(c->parameter);

	(void)body;
	if (strcmp(c->parameter, "start") == 0)
		return read_start_log(c, e);
	if ((strcmp(c->parameter, "app") != 0 && strcmp(c->parameter, "import") != 0) || p == NULL)
		return problem(e, "NOT_FOUND", "no process with the name %s was started here",
			       c->parameter);
	return read_output(c, p, STDOUT, false, e);
}

void logs_init(const char *run)
{
	(void)snprintf(start_log, sizeof(start_log), "%s/start.log", run);
}
