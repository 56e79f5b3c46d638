/* A directory as a tar archive, by the image's tar. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "sandboxd/handlers.h"
#include "sandboxd/helper.h"
#include "sandboxd/place.h"
#include "sandboxd/problem.h"

enum { DIRECTORY = 3, PART = 16384, OPTIONS = 5 };

/* tar's exit code when a file changed or went meanwhile: the archive is still valid. */
enum { TAR_DIFFERS = 1 };

#define TYPE    "application/x-tar"
#define CHANGED "Archive-Changed"

struct packing {
	struct helper helper;
	struct watch output; /* tar's output, the archive */
	struct conn *conn;   /* NULL: it has left */
	bool strict;         /* whether a changed file ends the archive */
};

static int pack(void *user)
{
	const char *own[PLACE_OWN_MAX];
	size_t count = place_own_below(DIRECTORY, own);
	char *words[OPTIONS + PLACE_OWN_MAX + 2] = { (char[]) { "tar" }, (char[]) { "--create" },
						     (char[]) { "--file=-" },
						     (char[]) { "--anchored" },
						     (char[]) { "--no-wildcards" } };

	(void)user;
	for (size_t i = 0; i < count; i++)
		words[OPTIONS + i] = mem_printf("--exclude=./%s", own[i]);
	words[OPTIONS + count] = (char[]) { "." };
	return fchdir(DIRECTORY) == 0 ? helper_become(words) : errno;
}

static void free_packing(struct packing *p)
{
	watch_close(&p->output);
	loop_free(p);
}

static void left(struct conn *c)
{
	struct packing *p = c->context;

	p->conn = NULL;
	watch_close(&p->output);
	helper_kill(&p->helper);
	if (p->helper.ended)
		free_packing(p);
}

/* ---- the answer ---------------------------------------------------------------------------- */

static void begin_answer(struct conn *c)
{
	if (!c->head_sent)
		conn_begin(c, 200, TYPE, "Trailer: " CHANGED "\r\n", -1);
}

/* The last chunk says that the archive is complete: without it, the response counts as cut off. An
 * errno that happens to equal TAR_DIFFERS can only come before any output. */
static void finish(struct packing *p)
{
	struct conn *c = p->conn;
	bool changed = p->helper.status == TAR_DIFFERS && !p->strict && c->head_sent;
	struct err e;

	if (p->output.fd >= 0 || !p->helper.ended || c->answered)
		return;
	if (p->helper.status == 0 || changed) {
		begin_answer(c);
		conn_end(c, changed ? CHANGED ": true\r\n" : CHANGED ": false\r\n");
	} else {
		(void)problem(&e, "CANNOT_PACK", "%s", p->helper.text);
		conn_fail(c, &e);
	}
}

/* Forwards as much as the client accepts: the rest waits in tar. */
static void forward(struct packing *p)
{
	struct conn *c = p->conn;
	char part[PART];
	ssize_t got = 1;

	while (p->output.fd >= 0 && got > 0 && conn_pending(c) < OUT_FULL) {
		got = read(p->output.fd, part, sizeof(part));
		if (got > 0) {
			begin_answer(c);
			conn_chunk(c, part, (size_t)got);
		} else if (got == 0 || errno != EAGAIN) {
			watch_close(&p->output);
		}
	}
	if (p->output.fd >= 0)
		watch_for(&p->output, got > 0 ? 0 : EPOLLIN);
	finish(p);
}

static void produce(struct conn *c)
{
	forward(c->context);
}

static void output_ready(struct watch *w, uint32_t events)
{
	struct packing *p = CONTAINER_OF(w, struct packing, output);

	(void)events;
	forward(p);
	conn_run(p->conn);
}

static void done(struct helper *h)
{
	struct packing *p = h->user;

	if (p->conn == NULL) {
		free_packing(p);
		return;
	}
	finish(p);
	conn_run(p->conn);
}

static const struct conn_ops packing_ops = { .produce = produce, .closed = left };

/* ---- the request --------------------------------------------------------------------------- */

static int start(struct conn *c, int directory, bool strict, struct err *e)
{
	struct packing *p = mem_calloc(1, sizeof(*p));
	int pair[2] = { -1, -1 };

	p->conn = c;
	p->strict = strict;
	p->helper = (struct helper) { .purpose = HELPER_PACKS, .done = done, .user = p };
	p->output.fd = -1;
	int status = pipe2(pair, O_CLOEXEC) == 0 && fcntl(pair[0], F_SETFL, O_NONBLOCK) == 0
			     ? 0
			     : problem(e, "TOO_MANY", "no pipe: %s", strerror(errno));
	if (status == 0) {
		p->output = (struct watch) { .fd = pair[0], .ready = output_ready };
		const int fds[] = { -1, pair[1], -1, directory };
		status = helper_start(&p->helper, pack, fds, 4, e);
		(void)close(pair[1]);
	}
	if (status < 0) {
		free_packing(p);
		return -1;
	}
	watch_for(&p->output, EPOLLIN);
	conn_set_ops(c, &packing_ops, p);
	return 0;
}

int files_pack(struct conn *c, json_t *body, struct err *e)
{
	const char *path = request_parameter(&c->request, "path");
	CLEANUP(cleanup_close) int directory = -1;
	bool strict;

	(void)body;
	if (path == NULL)
		return problem(e, "INVALID_REQUEST", "path is missing");
	if (c->parser.http_minor == 0)
		return problem(e, "UPGRADE_REQUIRED", "only HTTP/1.1 says where an archive ends");
	if (request_flag(&c->request, "strict", &strict, e) < 0 ||
	    place_open(path, O_RDONLY | O_DIRECTORY, &directory, e) < 0)
		return -1;
	if (c->request.method != HTTP_HEAD)
		return start(c, directory, strict, e);
	conn_begin(c, 200, TYPE, "", -1);
	c->answered = true;
	return 0;
}
