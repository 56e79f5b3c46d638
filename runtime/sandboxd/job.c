#include "sandboxd/job.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "sandboxd/problem.h"

enum { JOBS_MAX = 4, DIRECTORY = 3 };

struct job {
	struct watch watch; /* of the child's end */
	struct conn *conn;  /* NULL: it has left */
	char *path;
	pid_t pid;
};

static size_t running;

static void left(struct conn *c)
{
	struct job *job = c->context;

	job->conn = NULL;
}

static const struct conn_ops waiting = { .closed = left };

static void answer(struct job *job, int status)
{
	struct conn *c = job->conn;
	struct err e;

	errno = WIFEXITED(status) ? WEXITSTATUS(status) : ECANCELED;
	if (errno == 0)
		conn_empty(c, 204);
	else if (problem_errno(&e, job->path) < 0)
		conn_fail(c, &e);
	conn_run(c);
}

static void ended(struct watch *w, uint32_t events)
{
	struct job *job = (struct job *)w;
	int status;

	(void)events;
	if (waitpid(job->pid, &status, WNOHANG) != job->pid)
		return;
	running--;
	watch_close(w);
	if (job->conn != NULL) {
		struct conn *c = job->conn;
		conn_set_ops(c, NULL, NULL);
		answer(job, status);
	}
	free(job->path);
	loop_free(job);
}

/* In the child: it keeps nothing open but the directory, and ends with sandboxd. */
static void work_and_exit(const struct place *p, int (*work)(int directory, const char *name))
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (dup2(p->directory, DIRECTORY) < 0 || close_range(DIRECTORY + 1, ~0U, 0) != 0)
		_exit(errno);
	_exit(work(DIRECTORY, p->name) == 0 ? 0 : errno);
}

int job_start(struct conn *c, const struct place *p, int (*work)(int directory, const char *name),
	      struct err *e)
{
	struct job *job;
	int fd;

	if (running >= JOBS_MAX)
		return problem(e, "TOO_MANY", "%d such requests are being carried out: try again",
			       JOBS_MAX);
	pid_t pid = fork();
	if (pid == 0)
		work_and_exit(p, work);
	if (pid < 0)
		return problem(e, "TOO_MANY", "no more processes: %s", strerror(errno));
	fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (fd < 0) {
		(void)problem(e, "UNSUPPORTED", "pidfd_open: %s", strerror(errno));
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		return -1;
	}
	job = mem_calloc(1, sizeof(*job));
	*job = (struct job) { .watch = { .fd = fd, .ready = ended }, .conn = c, .pid = pid };
	job->path = mem_strdup(p->path);
	running++;
	conn_set_ops(c, &waiting, job);
	watch_for(&job->watch, EPOLLIN);
	return 0;
}
