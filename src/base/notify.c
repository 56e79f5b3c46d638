#include "base/notify.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/cleanup.h"

enum { LINE_MAX_BYTES = 1024 };

/* Parses $NOTIFY_SOCKET: a path, or an abstract name that begins with '@'. */
static int find_address(struct sockaddr_un *ret_address, socklen_t *ret_length)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t length = path != NULL ? strlen(path) : 0;

	if (length < 2 || length >= sizeof(address.sun_path))
		return -1;
	memcpy(address.sun_path, path, length);
	if (path[0] == '@')
		address.sun_path[0] = '\0';
	*ret_address = address;
	*ret_length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
	return 0;
}

static void notify(const char *message)
{
	struct sockaddr_un address;
	socklen_t length;

	if (find_address(&address, &length) < 0)
		return;
	CLEANUP(cleanup_close) int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	/* Never blocks: a service manager that hangs must not stop the program. */
	(void)sendto(fd, message, strlen(message), MSG_NOSIGNAL | MSG_DONTWAIT,
		     (const struct sockaddr *)&address, length);
}

void notify_status(const char *format, ...)
{
	char line[LINE_MAX_BYTES] = "STATUS=";
	size_t prefix = strlen(line);
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(line + prefix, sizeof(line) - prefix, format, arguments);
	va_end(arguments);
	/* A second line would be another variable. */
	line[prefix + strcspn(line + prefix, "\n")] = '\0';
	notify(line);
}

void notify_alive(void)
{
	notify("WATCHDOG=1");
}
