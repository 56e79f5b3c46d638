#include "ctl/units.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/mem.h"

enum { ARGUMENTS_MAX = 24, OUTPUT_MAX = 262144 };

extern char **environ;

static int start(const char *const *arguments, int output, pid_t *ret_child)
{
	/* POSIX guarantees that they are not changed, but its types do not say so */
	union {
		const char *const *ours;
		char *const *theirs;
	} list = { .ours = arguments };
	posix_spawn_file_actions_t actions;

	if (posix_spawn_file_actions_init(&actions) != 0)
		return -1;
	(void)posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
	(void)posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	int result = posix_spawnp(ret_child, arguments[0], &actions, NULL, list.theirs, environ);
	(void)posix_spawn_file_actions_destroy(&actions);
	return result == 0 ? 0 : -1;
}

static void read_all(int fd, struct buf *output)
{
	char chunk[4096];
	ssize_t length;
	struct err e;

	while ((length = read(fd, chunk, sizeof(chunk))) > 0) {
		if (buf_append(output, chunk, (size_t)length, &e) < 0)
			return;
	}
}

/* Returns a program's output; nothing if it is not installed. */
static void run(const char *const *arguments, struct buf *output)
{
	int ends[2];
	pid_t child = 0;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return;
	int started = start(arguments, ends[1], &child);
	(void)close(ends[1]);
	if (started == 0) {
		read_all(ends[0], output);
		(void)waitpid(child, NULL, 0);
	}
	(void)close(ends[0]);
}

/* Parses a line "Name=value". */
static void take_line(json_t *unit, const char *line, size_t length)
{
	const char *equals = memchr(line, '=', length);

	if (equals == NULL)
		return;
	CLEANUP(cleanup_free) char *name = mem_printf("%.*s", (int)(equals - line), line);
	json_t *value = json_stringn(equals + 1, length - (size_t)(equals + 1 - line));
	if (value != NULL) /* it is UTF-8 */
		(void)json_object_set_new(unit, name, value);
}

/* Empty lines separate units. The caller json_decref()s. */
static json_t *take_units(const char *text)
{
	json_t *units = json_object();

	while (*text != '\0') {
		CLEANUP(json_decrefp) json_t *unit = json_object();
		while (*text != '\0' && *text != '\n') {
			size_t length = strcspn(text, "\n");
			take_line(unit, text, length);
			text += length + (text[length] == '\n');
		}
		text += strspn(text, "\n");
		const char *id = json_string_value(json_object_get(unit, "Id"));
		if (id != NULL)
			(void)json_object_set(units, id, unit);
	}
	return units;
}

json_t *units_show(const char *const *names, const char *properties)
{
	CLEANUP(buf_release) struct buf output = BUF_INIT(OUTPUT_MAX);
	CLEANUP(cleanup_free) char *wanted = mem_printf("--property=Id,%s", properties);
	const char *arguments[ARGUMENTS_MAX + 4] = { "systemctl", "show", wanted };

	if (access("/run/systemd/system", F_OK) == 0) {
		for (size_t i = 0; i < ARGUMENTS_MAX && names[i] != NULL; i++)
			arguments[3 + i] = names[i];
		run(arguments, &output);
	}
	return take_units(output.length > 0 ? output.data : "");
}

bool units_hand_over(const char *user, const char *path)
{
	CLEANUP(cleanup_free) char *name = mem_printf("%s.service", user);
	const char *const names[] = { name, NULL };
	CLEANUP(json_decrefp) json_t *units = units_show(names, "LoadCredential");
	const char *handed =
		json_string_value(json_object_get(json_object_get(units, name), "LoadCredential"));

	return handed != NULL && strstr(handed, path) != NULL;
}
