#include "sandboxd/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "sandboxd/problem.h"
#include "sandboxd/process.h"

enum { FIRST_SPARE = 20, FDS_MAX = 8 };

extern char **environ;

static size_t running[HELPER_PURPOSES];
static const char *path = "/usr/bin:/bin";

void helper_init(const char *tools)
{
	path = mem_printf("%s:%s", tools, path);
}

/* ---- in the child -------------------------------------------------------------------------- */

/* The child ends with sandboxd. Even root gets no device nodes from an archive. It gets none of the
 * sandbox's environment: PATH begins in the home directory, where anybody who may write files could
 * put their own `tar`, and TAR_OPTIONS is meant for other commands. */
static void confine(void)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)prctl(PR_CAPBSET_DROP, CAP_MKNOD, 0, 0, 0);
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	(void)clearenv();
	(void)setenv("PATH", path, 1);
	(void)setenv("LC_ALL", "C", 1);
}

static void become_helper(const struct helper *h, int (*work)(void *user), const int *fds,
			  size_t count, int said)
{
	int spare[FDS_MAX];

	for (size_t i = 0; i < count; i++) {
		int fd = i == STDERR_FILENO ? said : fds[i];
		if (fd < 0)
			fd = open("/dev/null", O_RDWR | O_CLOEXEC);
		spare[i] = fcntl(fd, F_DUPFD, FIRST_SPARE);
	}
	for (size_t i = 0; i < count; i++)
		(void)dup2(spare[i], (int)i);
	(void)close_range((unsigned)count, ~0U, 0);
	spawn_reset_signals();
	confine();
	_exit(work(h->user));
}

int helper_become(char *const *words)
{
	(void)execvp(words[0], words);
	int number = errno;
	dprintf(STDERR_FILENO, "%s cannot be run: %s", words[0], strerror(number));
	return number;
}

bool helper_run(char *const *words)
{
	pid_t pid;
	int status = -1, failed = posix_spawnp(&pid, words[0], NULL, NULL, words, environ);

	if (failed == 0)
		return waitpid(pid, &status, 0) == pid && status == 0;
	dprintf(STDERR_FILENO, "%s cannot be run: %s", words[0], strerror(failed));
	return false;
}

/* ---- in sandboxd --------------------------------------------------------------------------- */

/* Keeps the beginning of the output, without the newline at its end. */
static void listen_to(struct watch *w, uint32_t events)
{
	struct helper *h = CONTAINER_OF(w, struct helper, said);
	char more[1024];
	ssize_t got;

	(void)events;
	while ((got = read(w->fd, more, sizeof(more))) > 0) {
		size_t room = SAID_MAX - h->length;
		size_t fits = (size_t)got < room ? (size_t)got : room;
		memcpy(h->text + h->length, more, fits);
		h->length += fits;
	}
	h->text[strcspn(h->text, "\n")] = '\0';
	if (got == 0 || errno != EAGAIN)
		watch_close(w);
}

static void ended(struct watch *w, uint32_t events)
{
	struct helper *h = CONTAINER_OF(w, struct helper, end);
	int status;

	(void)events;
	if (waitpid(h->pid, &status, WNOHANG) != h->pid)
		return;
	running[h->purpose]--;
	h->ended = true;
	h->status = WIFEXITED(status) ? WEXITSTATUS(status) : ECANCELED;
	if (h->said.fd >= 0)
		listen_to(&h->said, 0);
	watch_close(&h->said);
	watch_close(w);
	h->done(h);
}

static int watch_child(struct helper *h, struct err *e)
{
	int fd = (int)syscall(SYS_pidfd_open, h->pid, 0);

	if (fd < 0) {
		(void)problem(e, "UNSUPPORTED", "pidfd_open: %s", strerror(errno));
		kill(h->pid, SIGKILL);
		waitpid(h->pid, NULL, 0);
		return -1;
	}
	running[h->purpose]++;
	h->end = (struct watch) { .fd = fd, .ready = ended };
	watch_for(&h->end, EPOLLIN);
	watch_for(&h->said, EPOLLIN);
	return 0;
}

int helper_start(struct helper *h, int (*work)(void *user), const int *fds, size_t count,
		 struct err *e)
{
	CLEANUP(cleanup_close) int said = -1;
	int pair[2];

	if (running[h->purpose] >= HELPERS_MAX)
		return problem(e, "TOO_MANY", "%d such requests are being carried out: try again",
			       HELPERS_MAX);
	if (pipe2(pair, O_CLOEXEC) != 0 || fcntl(pair[0], F_SETFL, O_NONBLOCK) != 0)
		return problem(e, "TOO_MANY", "no pipe: %s", strerror(errno));
	said = pair[1];
	h->said = (struct watch) { .fd = pair[0], .ready = listen_to };
	h->pid = fork();
	if (h->pid == 0)
		become_helper(h, work, fds, count, said);
	if (h->pid < 0)
		(void)problem(e, "TOO_MANY", "no more processes: %s", strerror(errno));
	else if (watch_child(h, e) == 0)
		return 0;
	watch_close(&h->said);
	return -1;
}

void helper_kill(struct helper *h)
{
	if (!h->ended)
		kill(h->pid, SIGKILL);
}
