#include "sandboxd/app_command.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "sandboxd/import.h"

enum { FILE_SIZE_MAX = 1 << 20 };

#define APP_PORT "3000"

/* Returns a regular file's text, or NULL. The caller frees. */
static char *read_text(const char *folder, const char *name)
{
	CLEANUP(cleanup_free) char *path = mem_printf("%s/%s", folder, name);
	CLEANUP(cleanup_free) char *text = mem_calloc(FILE_SIZE_MAX + 1, 1);
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct stat s;
	ssize_t got = -1;

	if (fd >= 0 && fstat(fd, &s) == 0 && S_ISREG(s.st_mode))
		got = read(fd, text, FILE_SIZE_MAX);
	if (fd >= 0)
		close(fd);
	return got < 0 ? NULL : STEAL(text);
}

static char *from_variable(const char *folder)
{
	const char *line = getenv("FSA_APP_COMMAND");

	(void)folder;
	return line != NULL && *line != '\0' ? mem_strdup(line) : NULL;
}

static char *from_procfile(const char *folder)
{
	static const char web[] = "web:";
	CLEANUP(cleanup_free) char *text = read_text(folder, "Procfile");
	char *rest = NULL;

	if (text == NULL)
		return NULL;
	for (char *line = strtok_r(text, "\r\n", &rest); line != NULL;
	     line = strtok_r(NULL, "\r\n", &rest)) {
		if (strncmp(line, web, strlen(web)) != 0)
			continue;
		line += strlen(web);
		line += strspn(line, " \t");
		return *line != '\0' ? mem_strdup(line) : NULL;
	}
	return NULL;
}

static char *from_package(const char *folder)
{
	CLEANUP(cleanup_free) char *text = read_text(folder, "package.json");
	CLEANUP(json_decrefp) json_t *package = text != NULL ? json_loads(text, 0, NULL) : NULL;

	return json_is_string(json_object_get(json_object_get(package, "scripts"), "start"))
		       ? mem_strdup("npm start")
		       : NULL;
}

/* What is not UTF-8 has no form in JSON, and is no command. */
static char *only_utf8(char *line)
{
	CLEANUP(json_decrefp) json_t *string = line != NULL ? json_string(line) : NULL;

	if (string != NULL)
		return line;
	free(line);
	return NULL;
}

bool app_command_find(struct app_command *ret)
{
	static const struct {
		const char *name;
		char *(*find)(const char *folder);
	} sources[] = {
		{ "FSA_APP_COMMAND", from_variable },
		{ "Procfile", from_procfile },
		{ "package.json", from_package },
	};

	*ret = (struct app_command) { .folder = import_folder() };
	if (ret->folder == NULL)
		ret->folder = mem_strdup(getenv("HOME"));
	for (size_t i = 0; i < ARRAY_SIZE(sources) && ret->line == NULL; i++) {
		ret->line = only_utf8(sources[i].find(ret->folder));
		ret->source = sources[i].name;
	}
	return ret->line != NULL;
}

/* Its packages' programs are found, and both streams are in the one log. */
json_t *app_command_request(const struct app_command *command)
{
	const char *path = getenv("PATH"), *port = getenv("PORT");
	CLEANUP(cleanup_free) char *script = mem_printf("exec 2>&1\n%s", command->line);
	CLEANUP(cleanup_free)
	char *paths = mem_printf("%s/node_modules/.bin:%s/.venv/bin:%s", command->folder,
				 command->folder, path != NULL ? path : "/usr/bin:/bin");

	return json_pack("{s:s, s:s, s:s, s:s, s:{s:s, s:s}}", "command", script, "directory",
			 command->folder, "name", "app", "overflow", "drop", "environment", "PATH",
			 paths, "PORT", port != NULL ? port : APP_PORT);
}

void app_command_release(struct app_command *command)
{
	free(command->line);
	free(command->folder);
}
