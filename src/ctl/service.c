#include "ctl/service.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/wait.h>
#include <unistd.h>

/* Runs in the child: the exit status is an errno. */
static _Noreturn void open_as(const struct passwd *user, const char *path)
{
	if (initgroups(user->pw_name, user->pw_gid) < 0 || setgid(user->pw_gid) < 0 ||
	    setuid(user->pw_uid) < 0)
		_exit(errno);
	_exit(open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) < 0 ? errno : 0);
}

static int wait_for(pid_t child)
{
	int status;

	while (waitpid(child, &status, 0) < 0) {
		if (errno != EINTR)
			return errno;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
}

bool service_open(const char *user, const char *path, int *ret_error)
{
	const struct passwd *found = getpwnam(user);

	if (found == NULL)
		return false;
	pid_t child = fork();
	if (child == 0)
		open_as(found, path);
	*ret_error = child < 0 ? errno : wait_for(child);
	return true;
}
