/*
 * Preloaded into a program, it halts it at a point of its conversation with the servers: right
 * after the HALT_AFTER-th time it has sent something, by the signal HALT_SIGNAL. So a test can end
 * it, or stop it, between any two things it does. A process that it has forked goes on counting
 * where it stood, and is halted together with it; with HALT_ALONE, such a process is, and alone.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static pid_t first;
/* whether any process was halted; later continuations are not halted again */
static atomic_bool *halted;

__attribute__((constructor)) static void begin(void)
{
	first = getpid();
	halted = mmap(NULL, sizeof(*halted), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
}

static void halt(void)
{
	int number = atoi(getenv("HALT_SIGNAL"));

	if (atomic_exchange(halted, true))
		return;
	if (getenv("HALT_ALONE") == NULL)
		(void)kill(first, number);
	else if (getpid() == first)
		return;
	(void)raise(number);
}

static void count(int fd)
{
	static int left = -1;
	struct stat status;

	if (left < 0)
		left = atoi(getenv("HALT_AFTER"));
	if (left > 0 && fstat(fd, &status) == 0 && S_ISSOCK(status.st_mode) && --left == 0)
		halt();
}

#define REAL(type, name) ((type)dlsym(RTLD_NEXT, name))

ssize_t send(int fd, const void *data, size_t length, int flags)
{
	typedef ssize_t send_fn(int, const void *, size_t, int);
	ssize_t result = REAL(send_fn *, "send")(fd, data, length, flags);

	count(fd);
	return result;
}

ssize_t write(int fd, const void *data, size_t length)
{
	typedef ssize_t write_fn(int, const void *, size_t);
	ssize_t result = REAL(write_fn *, "write")(fd, data, length);

	count(fd);
	return result;
}

ssize_t writev(int fd, const struct iovec *parts, int part_count)
{
	typedef ssize_t writev_fn(int, const struct iovec *, int);
	ssize_t result = REAL(writev_fn *, "writev")(fd, parts, part_count);

	count(fd);
	return result;
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
	typedef ssize_t sendmsg_fn(int, const struct msghdr *, int);
	ssize_t result = REAL(sendmsg_fn *, "sendmsg")(fd, message, flags);

	count(fd);
	return result;
}
