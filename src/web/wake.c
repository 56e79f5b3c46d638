#include "web/wake.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

int wake(const char *path, struct err *e)
{
	CLEANUP(cleanup_close)
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0664);

	if (fd < 0 || futimens(fd, NULL) < 0)
		return err_set(e, ERR_INTERNAL, NULL, "%s: %s", path, strerror(errno));
	return 0;
}
