#include "web/listen.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"

enum { BACKLOG = 1024 }; /* bursts wait here; the kernel cuts it to net.core.somaxconn */

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

int listen_unix(const char *path, int *ret_fd, struct err *e)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	CLEANUP(cleanup_close) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (strlen(path) >= sizeof(address.sun_path))
		return err_set(e, ERR_INVALID, NULL, "%s: longer than a socket's path may be",
			       path);
	memcpy(address.sun_path, path, strlen(path) + 1);
	if (remove_stale(&address, e) < 0)
		return -1;
	mode_t before = umask(0117);
	int bound = bind(fd, (const struct sockaddr *)&address, sizeof(address));
	(void)umask(before);
	if (bound < 0 || listen(fd, BACKLOG) < 0)
		return err_set(e, ERR_INVALID, NULL, "%s: %s", path, strerror(errno));
	*ret_fd = fd;
	fd = -1;
	return 0;
}
