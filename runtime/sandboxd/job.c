#include "sandboxd/job.h"

#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "sandboxd/helper.h"
#include "sandboxd/problem.h"

enum { DIRECTORY = 3 };

struct job {
	struct helper helper;
	struct conn *conn; /* NULL: it has left */
	int (*work)(int directory, const char *name);
	char *path, *name;
};

static void left(struct conn *c)
{
	struct job *job = c->context;

	job->conn = NULL;
}

static const struct conn_ops waiting = { .closed = left };

static void answer(const struct job *job)
{
	struct conn *c = job->conn;
	struct err e;

	errno = job->helper.status;
	if (errno == 0)
		conn_empty(c, 204);
	else if (problem_errno(&e, job->path) < 0)
		conn_fail(c, &e);
	conn_run(c);
}

static void job_free(struct job *job)
{
	free(job->path);
	free(job->name);
	loop_free(job);
}

static void done(struct helper *h)
{
	struct job *job = h->user;

	if (job->conn != NULL) {
		conn_set_ops(job->conn, NULL, NULL);
		answer(job);
	}
	job_free(job);
}

static int run_work(void *user)
{
	const struct job *job = user;

	return job->work(DIRECTORY, job->name) == 0 ? 0 : errno;
}

int job_start(struct conn *c, const struct place *p, int (*work)(int directory, const char *name),
	      struct err *e)
{
	const int fds[] = { -1, -1, -1, p->directory };
	struct job *job = mem_calloc(1, sizeof(*job));

	*job = (struct job) {
		.helper = { .purpose = HELPER_REMOVES, .done = done, .user = job },
		.conn = c,
		.work = work,
		.path = mem_strdup(p->path),
		.name = mem_strdup(p->name),
	};
	if (helper_start(&job->helper, run_work, fds, 4, e) < 0) {
		job_free(job);
		return -1;
	}
	conn_set_ops(c, &waiting, job);
	return 0;
}
