#include "browser.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"

extern char **environ;

/* An address from a site is opened only if it is http(s), not an option, a file or a script. */
static bool is_web_address(const char *url)
{
	if (strncmp(url, "https://", 8) != 0 && strncmp(url, "http://", 7) != 0)
		return false;
	for (const char *c = url; *c != '\0'; c++) {
		if (*c <= ' ' || *c > '~' || strchr("\"'`\\<>", *c) != NULL)
			return false;
	}
	return true;
}

static int start(const char *program, const char *url, pid_t *ret_pid)
{
	CLEANUP(cleanup_free) char *name = mem_strdup(program), *address = mem_strdup(url);
	char *words[] = { name, address, NULL };
	posix_spawn_file_actions_t files;
	int status;

	(void)posix_spawn_file_actions_init(&files);
	(void)posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	/* Standard output is reserved for --json and MCP. */
	(void)posix_spawn_file_actions_adddup2(&files, STDERR_FILENO, STDOUT_FILENO);
	status = posix_spawnp(ret_pid, program, &files, NULL, words, environ);
	(void)posix_spawn_file_actions_destroy(&files);
	return status;
}

static const char *choose_program(void)
{
	const char *program = getenv("BROWSER");

	return program != NULL && program[0] != '\0' ? program : "xdg-open";
}

void browser_show(const char *url)
{
	pid_t pid = 0;

	if (is_web_address(url))
		(void)start(choose_program(), url, &pid);
}

int browser_open(const char *url, struct err *e)
{
	const char *program = choose_program();
	pid_t pid = 0;
	int status = 0;

	if (!is_web_address(url))
		return err_set(e, ERR_INVALID, "INVALID_ADDRESS",
			       "\"%s\" is not an address for a browser", url);
	if (start(program, url, &pid) != 0 || waitpid(pid, &status, 0) < 0 || status != 0)
		return err_set(e, ERR_UNPROCESSABLE, "NO_BROWSER",
			       "%s did not open a browser: open %s yourself", program, url);
	return 0;
}
