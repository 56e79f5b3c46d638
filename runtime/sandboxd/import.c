#include "sandboxd/import.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "sandboxd/handlers.h"
#include "sandboxd/process.h"

enum { STATE_MAX = 8192 };

static struct observer observer; /* its process is NULL: it does not run */

/* The lines of the file. */
enum line { STATUS, MESSAGE, URL, BRANCH, FOLDER, LINES };

static bool is_status(const char *word)
{
	static const char *const known[] = { "cloning", "installing", "done", "failed" };

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (strcmp(known[i], word) == 0)
			return true;
	return false;
}

/* Returns whether the file was there and has a status; programs in the sandbox may have written
 * anything to it. The lines point into `content`. */
static bool read_state(char content[STATE_MAX + 1], char *ret_lines[LINES])
{
	CLEANUP(cleanup_free)
	char *path = mem_printf("%s/.local/state/fullstack-agent/import", getenv("HOME"));
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	ssize_t got = fd >= 0 ? read(fd, content, STATE_MAX) : -1;

	if (fd >= 0)
		close(fd);
	if (got < 0)
		return false;
	content[got] = '\0';
	for (size_t i = 0; i < LINES; i++) {
		ret_lines[i] = content;
		content += strcspn(content, "\n");
		if (*content == '\n')
			*content++ = '\0';
	}
	return is_status(ret_lines[STATUS]);
}

bool import_is_running(void)
{
	return observer.process != NULL;
}

/* Null if it is empty, or not UTF-8. */
static json_t *text_or_null(const char *text)
{
	json_t *string = *text != '\0' ? json_string(text) : NULL;

	return string != NULL ? string : json_null();
}

int import_read(struct conn *c, json_t *body, struct err *e)
{
	static char interrupted[] =
		"it was interrupted; it is continued when the sandbox is restarted";
	static char failed[] = "failed";
	char content[STATE_MAX + 1];
	char *lines[LINES];

	(void)body;
	(void)e;
	if (!read_state(content, lines)) {
		conn_json(c, 200,
			  json_pack("{s:s, s:n, s:n, s:n, s:n}", "status", "none", "message", "url",
				    "branch", "folder"));
		return 0;
	}
	if (!import_is_running() &&
	    (strcmp(lines[STATUS], "cloning") == 0 || strcmp(lines[STATUS], "installing") == 0)) {
		lines[STATUS] = failed;
		lines[MESSAGE] = interrupted;
	}
	conn_json(c, 200,
		  json_pack("{s:s, s:o, s:o, s:o, s:o}", "status", lines[STATUS], "message",
			    text_or_null(lines[MESSAGE]), "url", text_or_null(lines[URL]), "branch",
			    text_or_null(lines[BRANCH]), "folder", text_or_null(lines[FOLDER])));
	return 0;
}

char *import_folder(void)
{
	char content[STATE_MAX + 1];
	char *lines[LINES];

	if (!read_state(content, lines))
		return NULL;
	CLEANUP(json_decrefp) json_t *folder = text_or_null(lines[FOLDER]);
	if (json_is_null(folder))
		return NULL;
	CLEANUP(cleanup_free) char *path = mem_printf("%s/%s", getenv("HOME"), lines[FOLDER]);
	return access(path, X_OK) == 0 ? STEAL(path) : NULL;
}

static void process_changed(struct observer *o)
{
	if (o->process != NULL && o->process->ended)
		process_unobserve(o);
}

void import_start(const char *program)
{
	CLEANUP(json_decrefp)
	json_t *request = json_pack("{s:[s], s:s, s:s}", "command", program, "name", "import",
				    "overflow", "drop");
	struct process *started;
	struct err e;

	if (process_start_own(request, &started, &e) < 0) {
		dprintf(STDERR_FILENO, "sandboxd: %s: %s\n", program, e.message);
		return;
	}
	observer.changed = process_changed;
	process_observe(started, &observer);
}
