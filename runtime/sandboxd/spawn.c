#include "sandboxd/process.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "sandboxd/problem.h"

/* A child's standard input, output and error, and the pipe by which it reports a failed start. */
struct ends {
	int child[3];
	int tell;
};

struct failure {
	bool directory;
	int number;
};

int terminal_resize(int fd, unsigned short columns, unsigned short rows)
{
	struct winsize size = { .ws_col = columns, .ws_row = rows };

	return ioctl(fd, TIOCSWINSZ, &size);
}

static void close_all(int *fds, size_t count)
{
	for (size_t i = 0; i < count; i++)
		cleanup_close(&fds[i]);
}

/* Makes a pipe whose end in the parent does not block. */
static int make_pipe(int *ret_parents, int *ret_childs, bool parent_reads)
{
	int pair[2];

	if (pipe2(pair, O_CLOEXEC) != 0)
		return -1;
	*ret_parents = pair[parent_reads ? 0 : 1];
	*ret_childs = pair[parent_reads ? 1 : 0];
	return fcntl(*ret_parents, F_SETFL, O_NONBLOCK);
}

static int make_terminal(const struct start *s, struct spawned *parent, struct ends *ends)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);

	parent->output[STDOUT] = master;
	if (master < 0 || unlockpt(master) != 0)
		return -1;
	ends->child[0] = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	parent->input = fcntl(master, F_DUPFD_CLOEXEC, 0);
	if (ends->child[0] < 0 || parent->input < 0)
		return -1;
	ends->child[1] = fcntl(ends->child[0], F_DUPFD_CLOEXEC, 0);
	ends->child[2] = fcntl(ends->child[0], F_DUPFD_CLOEXEC, 0);
	return terminal_resize(master, s->columns, s->rows);
}

static int make_ends(const struct start *s, struct spawned *parent, struct ends *ends)
{
	if (s->terminal)
		return make_terminal(s, parent, ends);
	if (s->stdin_open) {
		if (make_pipe(&parent->input, &ends->child[0], false) != 0)
			return -1;
	} else {
		ends->child[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	}
	if (ends->child[0] < 0 || make_pipe(&parent->output[STDOUT], &ends->child[1], true) != 0)
		return -1;
	return make_pipe(&parent->output[STDERR], &ends->child[2], true);
}

void spawn_reset_signals(void)
{
	sigset_t none;

	for (int number = 1; number < NSIG; number++)
		(void)signal(number, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void fail_child(int tell, bool directory)
{
	struct failure failure = { directory, errno };

	(void)!write(tell, &failure, sizeof(failure));
	_exit(127);
}

static void become(const struct start *s, const struct ends *ends)
{
	int tell = fcntl(ends->tell, F_DUPFD_CLOEXEC, 10);

	setsid();
	spawn_reset_signals();
	if (s->terminal)
		ioctl(ends->child[0], TIOCSCTTY, 0);
	for (int i = 0; i < 3; i++) { /* above the numbers that dup2() overwrites */
		int high = fcntl(ends->child[i], F_DUPFD_CLOEXEC, 20);
		dup2(high, i);
	}
	close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
	if (s->directory != NULL && chdir(s->directory) != 0)
		fail_child(tell, true);
	execvpe(s->command[0], s->command, s->environment);
	fail_child(tell, false);
}

/* The pipe closes without data if the program was started. */
static int await_exec(int told, const struct start *s, struct err *e)
{
	struct failure failure;
	ssize_t got;

	do {
		got = read(told, &failure, sizeof(failure));
	} while (got < 0 && errno == EINTR);
	if (got != sizeof(failure))
		return 0;
	if (failure.directory)
		return problem(e, "NO_SUCH_DIRECTORY", "%.200s: %s", s->directory,
			       strerror(failure.number));
	return problem(e, failure.number == E2BIG ? "TOO_LARGE" : "NO_SUCH_PROGRAM",
		       "%.200s cannot be run: %s", s->command[0], strerror(failure.number));
}

static int fork_child(const struct start *s, struct spawned *parent, struct ends *ends,
		      struct err *e)
{
	CLEANUP(cleanup_close) int told = -1;
	int pair[2];

	if (pipe2(pair, O_CLOEXEC) != 0)
		return problem(e, "TOO_MANY", "no pipe: %s", strerror(errno));
	told = pair[0];
	ends->tell = pair[1];
	parent->pid = fork();
	if (parent->pid == 0)
		become(s, ends);
	close(ends->tell);
	if (parent->pid < 0)
		return problem(e, "TOO_MANY", "no more processes: %s", strerror(errno));
	if (await_exec(told, s, e) < 0) {
		waitpid(parent->pid, NULL, 0);
		return -1;
	}
	parent->pid_fd = (int)syscall(SYS_pidfd_open, parent->pid, 0);
	if (parent->pid_fd >= 0)
		return 0;
	kill(-parent->pid, SIGKILL);
	waitpid(parent->pid, NULL, 0);
	return problem(e, "UNSUPPORTED", "pidfd_open: %s", strerror(errno));
}

int spawn(const struct start *s, struct spawned *ret, struct err *e)
{
	struct ends ends = { { -1, -1, -1 }, -1 };
	int done;

	*ret = (struct spawned) { .pid_fd = -1, .input = -1, .output = { -1, -1 } };
	if (make_ends(s, ret, &ends) != 0)
		done = problem(e, "TOO_MANY", "no descriptors: %s", strerror(errno));
	else
		done = fork_child(s, ret, &ends, e);
	close_all(ends.child, 3);
	if (done < 0) {
		close_all(&ret->input, 1);
		close_all(ret->output, OUTPUTS);
	}
	return done;
}
