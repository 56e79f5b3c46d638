#include "web/listen.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"

enum { BACKLOG = 1024 }; /* for bursts; the kernel reduces it to net.core.somaxconn */

static bool somebody_listens(const struct sockaddr_un *address)
{
	CLEANUP(cleanup_close) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 ||
	       errno == EAGAIN;
}

static int remove_stale(const struct sockaddr_un *address, struct err *e)
{
	struct stat found;

	if (lstat(address->sun_path, &found) < 0)
		return 0;
	if (!S_ISSOCK(found.st_mode) || somebody_listens(address))
		return err_set(e, ERR_CONFLICT, NULL, "%s: %s", address->sun_path,
			       S_ISSOCK(found.st_mode) ? "another program listens there"
						       : "is no socket");
	(void)unlink(address->sun_path);
	return 0;
}

/* The file is created with its final mode: nobody else can connect in between. */
static bool bind_and_listen(int fd, const struct sockaddr_un *address)
{
	mode_t before = umask(0117);
	int bound = bind(fd, (const struct sockaddr *)address, sizeof(*address));

	(void)umask(before);
	return bound == 0 && listen(fd, BACKLOG) == 0;
}

int listen_unix(const char *path, int *ret_fd, struct err *e)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(address.sun_path))
		return err_set(e, ERR_INVALID, NULL, "%s: longer than a socket's path may be",
			       path);
	memcpy(address.sun_path, path, strlen(path) + 1);
	if (remove_stale(&address, e) < 0)
		return -1;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && bind_and_listen(fd, &address)) {
		*ret_fd = fd;
		return 0;
	}
	err_set(e, ERR_INVALID, NULL, "%s: %s", path, strerror(errno));
	cleanup_close(&fd);
	return -1;
}
