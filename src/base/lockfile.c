#include "base/lockfile.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/cleanup.h"

int lockfile_take(const char *path, int *ret_fd, struct err *e)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);

	if (fd < 0)
		return err_set(e, ERR_INTERNAL, "LOCK_FILE", "%s: %s", path, strerror(errno));
	if (fcntl(fd, F_SETLK, &lock) < 0) {
		err_set(e, ERR_CONFLICT, "LOCKED", "%s: another process has it (%s)", path,
			strerror(errno));
		cleanup_close(&fd);
		return -1;
	}
	*ret_fd = fd;
	return 0;
}

bool lockfile_is_held(const char *path)
{
	CLEANUP(cleanup_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	return fd >= 0 && fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}
