/* Queries with paths: whatever a client requests, only files below the home directory or /tmp are
 * opened, even if there are links in them. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "fuzz.h"
#include "sandboxd/place.h"
#include "sandboxd/request.h"

static char home[] = "/tmp/fuzz-home-XXXXXX";

static void remove_home(void)
{
	static const char *const made[] = { "dir/file", "dir/up", "out", "root", "dir", "" };
	char path[sizeof(home) + 16];

	for (size_t i = 0; i < ARRAY_SIZE(made); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", home, made[i]);
		(void)remove(path);
	}
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	CLEANUP(cleanup_close) int in = -1;

	(void)argc, (void)argv;
	insist(mkdtemp(home) != NULL);
	in = open(home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	insist(in >= 0 && mkdirat(in, "dir", 0755) == 0 && symlinkat("/etc", in, "out") == 0);
	insist(symlinkat("/", in, "root") == 0 && symlinkat("../..", in, "dir/up") == 0);
	close(openat(in, "dir/file", O_CREAT | O_CLOEXEC, 0644));
	place_init(home, "/tmp/fuzz-hidden");
	return atexit(remove_home);
}

static void insist_inside(int fd)
{
	char link[40], path[4096];

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t length = readlink(link, path, sizeof(path) - 1);
	insist(length > 0);
	path[length] = '\0';
	insist(strncmp(path, "/tmp", 4) == 0 && (path[4] == '/' || path[4] == '\0'));
	insist(strncmp(path, "/tmp/fuzz-hidden", 16) != 0);
}

static void check(const char *path)
{
	CLEANUP(place_release) struct place p = { .directory = -1 };
	CLEANUP(cleanup_close) int fd = -1;
	struct err e = { 0 };

	if (place_find(path, false, &p, &e) < 0)
		insist_told(&e, ERR_INVALID);
	else
		insist_inside(p.directory);
	if (place_open(path, O_PATH, &fd, &e) < 0)
		insist_told(&e, ERR_INVALID);
	else
		insist_inside(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(cleanup_free) char *text = text_of(data, size);
	CLEANUP(request_release) struct request r;
	struct err e = { 0 };
	uint64_t number;
	mode_t mode;
	bool flag;

	request_init(&r);
	if (request_add_target(&r, "/x?", 3, &e) < 0 ||
	    request_add_target(&r, text, strlen(text), &e) < 0 || request_split(&r, &e) < 0 ||
	    request_parse_query(&r, &e) < 0) {
		insist_told(&e, ERR_INVALID);
		return 0;
	}
	if (request_number(&r, "offset", 1000, 7, &number, &e) == 0)
		insist(number <= 1000);
	(void)request_flag(&r, "parents", &flag, &e);
	if (place_parse_mode(request_parameter(&r, "mode"), 0644, &mode, &e) == 0)
		insist((mode & ~0777U) == 0);
	if (request_parameter(&r, "path") != NULL)
		check(request_parameter(&r, "path"));
	return 0;
}
