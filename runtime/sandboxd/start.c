#include "sandboxd/process.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "sandboxd/problem.h"

enum { ARGUMENTS_MAX = 1024, SHOWN_ARGUMENTS = 8, SHOWN_LENGTH = 256, SIZE_MAX_CELLS = 1000 };
enum { UNATTENDED_MAX_S = 7 * 24 * 3600 };

static char *bash[] = { (char[]) { "/bin/bash" }, (char[]) { "-c" } };

void start_init(const char *tools)
{
	bash[0] = mem_printf("%s/bash", tools);
}

static bool is_plain(const json_t *string)
{
	return json_is_string(string) &&
	       strlen(json_string_value(string)) == json_string_length(string);
}

static int parse_command(const json_t *given, struct start *s, struct err *e)
{
	size_t count = json_array_size(given);

	if (is_plain(given) && json_string_length(given) > 0) {
		s->command = mem_calloc(4, sizeof(*s->command));
		memcpy(s->command, bash, sizeof(bash));
		s->command[2] = mem_strdup(json_string_value(given));
		return 0;
	}
	if (count == 0 || count > ARGUMENTS_MAX)
		return problem(e, "INVALID_REQUEST",
			       "command must be a line, or an array of 1 to %d arguments",
			       ARGUMENTS_MAX);
	s->command = mem_calloc(count + 1, sizeof(*s->command));
	for (size_t i = 0; i < count; i++) {
		const json_t *argument = json_array_get(given, i);
		if (!is_plain(argument))
			return problem(e, "INVALID_REQUEST",
				       "command's arguments must be strings without NUL");
		s->command[i] = mem_strdup(json_string_value(argument));
	}
	return 0;
}

static void shorten(struct start *s)
{
	s->shown = json_array();
	for (size_t i = 0; s->command[i] != NULL && i < SHOWN_ARGUMENTS; i++) {
		size_t length = strnlen(s->command[i], SHOWN_LENGTH);
		while (length > 0 && (s->command[i][length] & 0xc0) == 0x80)
			length--; /* do not cut a character */
		json_array_append_new(s->shown, json_stringn(s->command[i], length));
	}
}

static bool names_variable(const char *pair, const char *name)
{
	size_t length = strlen(name);

	return strncmp(pair, name, length) == 0 && pair[length] == '=';
}

/* Our variables except those that the request sets, then the request's. */
static int make_environment(const json_t *given, struct start *s, struct err *e)
{
	size_t count = 0, used = 0;
	const char *name;
	json_t *value;

	while (environ[count] != NULL)
		count++;
	s->environment = mem_calloc(count + json_object_size(given) + 1, sizeof(char *));
	for (size_t i = 0; i < count; i++) {
		bool replaced = false;
		json_object_foreach((json_t *)(uintptr_t)given, name, value) replaced |=
			names_variable(environ[i], name);
		if (!replaced)
			s->environment[used++] = mem_strdup(environ[i]);
	}
	json_object_foreach((json_t *)(uintptr_t)given, name, value)
	{
		if (*name == '\0' || strchr(name, '=') != NULL ||
		    !(json_is_null(value) || is_plain(value)))
			return problem(e, "INVALID_REQUEST",
				       "environment must have names with strings or null");
		if (!json_is_null(value))
			s->environment[used++] =
				mem_printf("%s=%s", name, json_string_value(value));
	}
	return 0;
}

static int parse_terminal(json_t *given, struct start *s, struct err *e)
{
	int columns, rows;

	s->terminal = given != NULL && !json_is_null(given);
	if (!s->terminal)
		return 0;
	if (json_unpack(given, "{s:i, s:i !}", "columns", &columns, "rows", &rows) != 0 ||
	    columns < 1 || columns > SIZE_MAX_CELLS || rows < 1 || rows > SIZE_MAX_CELLS)
		return problem(e, "INVALID_REQUEST",
			       "a terminal has columns and rows, each from 1 to %d",
			       SIZE_MAX_CELLS);
	s->columns = (unsigned short)columns;
	s->rows = (unsigned short)rows;
	return 0;
}

static int check_words(struct start *s, const char *overflow, struct err *e)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-";

	if (overflow != NULL && strcmp(overflow, "wait") != 0 && strcmp(overflow, "drop") != 0)
		return problem(e, "INVALID_REQUEST", "overflow must be wait or drop");
	s->drop = overflow != NULL && strcmp(overflow, "drop") == 0;
	if (s->name != NULL && (*s->name == '\0' || strlen(s->name) > NAME_MAX_LENGTH ||
				strspn(s->name, allowed) != strlen(s->name)))
		return problem(e, "INVALID_REQUEST",
			       "name must be 1 to %d lowercase letters, digits and hyphens",
			       NAME_MAX_LENGTH);
	return 0;
}

int start_parse(const json_t *json, struct start *ret, struct err *e)
{
	json_t *command = NULL, *environment = NULL, *terminal = NULL;
	const char *overflow = NULL;
	int open = 0, unattended = 0;
	json_error_t error;

	*ret = (struct start) { 0 };
	if (json_unpack_ex((json_t *)(uintptr_t)json, &error, 0,
			   "{s:o, s?s, s?o, s?b, s?o, s?s, s?s, s?i !}", "command", &command,
			   "directory", &ret->directory, "environment", &environment, "stdin",
			   &open, "terminal", &terminal, "overflow", &overflow, "name", &ret->name,
			   "unattended", &unattended) != 0)
		return problem(e, "INVALID_REQUEST", "%s", error.text);
	if (json_object_get(json, "unattended") != NULL &&
	    (unattended < 1 || unattended > UNATTENDED_MAX_S))
		return problem(e, "INVALID_REQUEST", "unattended must be 1 to %d seconds",
			       UNATTENDED_MAX_S);
	ret->unattended_s = (unsigned)unattended;
	if (environment != NULL && !json_is_object(environment))
		return problem(e, "INVALID_REQUEST", "environment must be an object");
	ret->stdin_open = open != 0;
	if (ret->directory == NULL)
		ret->directory = getenv("HOME");
	if (parse_command(command, ret, e) < 0 || parse_terminal(terminal, ret, e) < 0 ||
	    check_words(ret, overflow, e) < 0 || make_environment(environment, ret, e) < 0)
		return -1;
	shorten(ret);
	return 0;
}

void start_release(struct start *s)
{
	for (size_t i = 0; s->command != NULL && s->command[i] != NULL; i++)
		if (s->command[i] != bash[0] && s->command[i] != bash[1])
			free(s->command[i]);
	for (size_t i = 0; s->environment != NULL && s->environment[i] != NULL; i++)
		free(s->environment[i]);
	free(s->command);
	free(s->environment);
	json_decref(s->shown);
}
