#include "ctl/child.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <libpq-fe.h>

#include "base/cleanup.h"

enum { EXIT_NOT_RUN = 127 };

/* libpq's settings as environment variables of its programs. */
struct connection {
	PQconninfoOption *options;
	const char *role;
};

static void connection_clear(struct connection *c)
{
	PQconninfoFree(c->options);
}

static void set_environment(const struct connection *c)
{
	bool has_user = false;

	for (const PQconninfoOption *o = c->options; o != NULL && o->keyword != NULL; o++) {
		if (o->val == NULL || o->envvar == NULL)
			continue;
		has_user = has_user || strcmp(o->keyword, "user") == 0;
		(void)setenv(o->envvar, o->val, 1);
	}
	if (c->options != NULL && !has_user)
		(void)setenv("PGUSER", c->role, 1);
}

static _Noreturn void become(const char *const argv[], int output, const struct connection *c)
{
	int null = open("/dev/null", O_RDWR);
	char *const *words; /* exec does not change them; its prototype is older than const */

	if (null < 0 || dup2(null, STDIN_FILENO) < 0 ||
	    dup2(output < 0 ? null : output, STDOUT_FILENO) < 0)
		_exit(EXIT_NOT_RUN);
	set_environment(c);
	memcpy(&words, &argv, sizeof(words));
	(void)execvp(argv[0], words);
	_exit(EXIT_NOT_RUN);
}

static int run(const char *const argv[], int output, const struct connection *c, struct err *e)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		become(argv, output, c);
	if (pid < 0)
		return err_set(e, ERR_INTERNAL, NULL, "%s: %s", argv[0], strerror(errno));
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS)
		return 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_NOT_RUN)
		return err_set(e, ERR_INTERNAL, NULL,
			       "%s cannot be run: is it installed? (PostgreSQL's programs are in "
			       "postgresql-client)",
			       argv[0]);
	return err_set(e, ERR_INTERNAL, NULL, "%s failed, see above", argv[0]);
}

int child_run(const char *const argv[], int output, struct err *e)
{
	const struct connection none = { 0 };

	return run(argv, output, &none, e);
}

int child_run_postgres(const char *conninfo, const char *role, const char *const argv[],
		       struct err *e)
{
	CLEANUP(connection_clear)
	struct connection c = { .options = PQconninfoParse(conninfo, NULL), .role = role };

	if (c.options == NULL)
		return err_set(e, ERR_INVALID, NULL, "database: not a connection string of libpq");
	return run(argv, -1, &c, e);
}
