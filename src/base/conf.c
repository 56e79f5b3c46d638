#include "base/conf_value.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/nearest.h"
#include "base/parse.h"

#define BLANKS " \t\r\n\v\f"

enum { ERRORS_MAX = 100 }; /* a file with more is something else */

/* ---- problems -------------------------------------------------------------------------------- */

/* It may quote anything from the file; readers need UTF-8 without control characters. */
static void make_plain(char *text)
{
	bool is_utf8 = parse_is_utf8(text, strlen(text));

	for (char *p = text; *p != '\0'; p++) {
		if (iscntrl((unsigned char)*p) || (!is_utf8 && (unsigned char)*p >= 0x80))
			*p = '?';
	}
}

struct conf_problem *conf_problem_add(struct conf_problems *problems, bool warning, unsigned line,
				      const char *format, ...)
{
	char message[sizeof(((struct err *)NULL)->message)];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(message, sizeof(message), format, arguments);
	va_end(arguments);
	make_plain(message);
	problems->list = mem_realloc(problems->list, problems->count + 1, sizeof(*problems->list));
	struct conf_problem *added = &problems->list[problems->count++];
	*added = (struct conf_problem) { .warning = warning,
					 .line = line,
					 .message = mem_strdup(message) };
	problems->errors += !warning;
	return added;
}

void conf_problems_clear(struct conf_problems *problems)
{
	for (size_t i = 0; i < problems->count; i++)
		free(problems->list[i].message);
	free(problems->list);
	*problems = (struct conf_problems) { 0 };
}

static int compare_lines(const void *a, const void *b)
{
	const struct conf_problem *x = a, *y = b;

	return (x->line > y->line) - (x->line < y->line);
}

/* ---- the file -------------------------------------------------------------------------------- */

/* Removes surrounding blanks, in place. */
static char *trim(char *text)
{
	text += strspn(text, BLANKS);
	for (size_t length = strlen(text); length > 0 && strchr(BLANKS, text[length - 1]);)
		text[--length] = '\0';
	return text;
}

/* Removes a comment, which begins with a ';' after a blank. */
static void cut_comment(char *text)
{
	for (char *p = text; *p != '\0'; p++) {
		if (*p == ';' && (p == text || strchr(BLANKS, p[-1]))) {
			*p = '\0';
			return;
		}
	}
}

static int find_option(const char *name)
{
	for (int i = 0; i < CONF_OPTION_COUNT; i++) {
		if (strcmp(conf_spec((enum conf_option)i)->name, name) == 0)
			return i;
	}
	return -1;
}

static void refuse_name(const char *name, unsigned line, struct conf_problems *problems)
{
	const char *names[CONF_OPTION_COUNT];

	for (int i = 0; i < CONF_OPTION_COUNT; i++)
		names[i] = conf_spec((enum conf_option)i)->name;
	const char *nearest = nearest_word(name, names, CONF_OPTION_COUNT);
	if (nearest != NULL)
		conf_problem_add(problems, false, line, "%.100s: no such option; did you mean %s?",
				 name, nearest);
	else
		conf_problem_add(problems, false, line, "%.100s: no such option", name);
}

static void read_option(struct conf *c, const char *name, const char *text, unsigned line,
			struct conf_problems *problems)
{
	struct conf_value parsed = { 0 };
	struct err e;
	int option = find_option(name);

	if (option < 0) {
		refuse_name(name, line, problems);
		return;
	}
	struct conf_value *value = &c->values[option];
	if (value->line != 0) {
		conf_problem_add(problems, false, line, "%s: given twice, first in line %u", name,
				 value->line);
		return;
	}
	value->line = line;
	if (conf_value_parse(conf_spec((enum conf_option)option), text, &parsed, &e) < 0) {
		conf_problem_add(problems, false, line, "%s", e.message);
		return;
	}
	free(value->text);
	value->text = parsed.text;
	value->number = parsed.number;
}

static void read_line(struct conf *c, char *text, unsigned line, struct conf_problems *problems)
{
	text = trim(text);
	if (text[0] == '\0' || text[0] == '#' || text[0] == ';')
		return;
	if (text[0] == '[') {
		conf_problem_add(problems, false, line,
				 "%.100s: there are no sections in this file", text);
		return;
	}
	size_t length = strcspn(text, "=:");
	if (length == 0 || text[length] == '\0') {
		conf_problem_add(problems, false, line, "not a line of \"name = value\"");
		return;
	}
	text[length] = '\0';
	cut_comment(text + length + 1);
	read_option(c, trim(text), trim(text + length + 1), line, problems);
}

static void read_file(struct conf *c, FILE *file, struct conf_problems *problems)
{
	static const char byte_order_mark[] = "\xef\xbb\xbf";
	CLEANUP(cleanup_free) char *text = NULL;
	size_t size = 0;

	for (unsigned line = 1; problems->errors < ERRORS_MAX && getline(&text, &size, file) >= 0;
	     line++) {
		bool marked = line == 1 && strncmp(text, byte_order_mark, 3) == 0;
		read_line(c, text + (marked ? 3 : 0), line, problems);
	}
	if (ferror(file))
		conf_problem_add(problems, false, 0, "%s", strerror(errno));
}

/* ---- all of it ------------------------------------------------------------------------------- */

static void prefer_credential(struct conf_value *value)
{
	const char *directory = getenv("CREDENTIALS_DIRECTORY");

	if (directory == NULL || value->text == NULL)
		return;
	const char *slash = strrchr(value->text, '/');
	CLEANUP(cleanup_free)
	char *path = mem_printf("%s/%s", directory, slash ? slash + 1 : value->text);
	if (access(path, F_OK) < 0)
		return;
	free(value->text);
	value->text = STEAL(path);
}

static void set_defaults(struct conf *c)
{
	struct err e;

	for (int i = 0; i < CONF_OPTION_COUNT; i++) {
		const struct conf_spec *spec = conf_spec((enum conf_option)i);
		/* A test checks that all are valid. */
		if (spec->default_value != NULL)
			(void)conf_value_parse(spec, spec->default_value, &c->values[i], &e);
	}
}

void conf_read(const char *path, struct conf **ret_conf, struct conf_problems *ret_problems)
{
	struct conf *c = mem_calloc(1, sizeof(*c));
	FILE *file = path != NULL ? fopen(path, "re") : NULL;

	*ret_problems = (struct conf_problems) { 0 };
	*ret_conf = c;
	set_defaults(c);
	if (path != NULL && file == NULL) {
		conf_problem_add(ret_problems, false, 0, "%s", strerror(errno));
		return;
	}
	if (file != NULL) {
		read_file(c, file, ret_problems);
		(void)fclose(file);
		conf_check(c, ret_problems);
	}
	for (int i = 0; i < CONF_OPTION_COUNT; i++) {
		if (conf_spec((enum conf_option)i)->type == CONF_SECRET_FILE)
			prefer_credential(&c->values[i]);
	}
	if (ret_problems->count > 0)
		qsort(ret_problems->list, ret_problems->count, sizeof(*ret_problems->list),
		      compare_lines);
}

static bool is_fatal(const struct conf_problem *p, bool service)
{
	return !p->warning && (service || !p->missing);
}

/* Reports the first error, and how many there are. */
static int summarize(const struct conf_problems *problems, const char *path, bool service,
		     struct err *e)
{
	const struct conf_problem *first = NULL;

	for (size_t i = 0; i < problems->count && first == NULL; i++) {
		if (is_fatal(&problems->list[i], service))
			first = &problems->list[i];
	}
	if (first == NULL)
		return 0;
	err_set(e, ERR_INVALID, "CONFIGURATION", "%s", first->message);
	if (first->line != 0)
		err_wrap(e, "%s:%u", path, first->line);
	else
		err_wrap(e, "%s", path);
	if (problems->errors > 1)
		err_wrap(e, "%zu errors (fsactl config check), the first", problems->errors);
	return -1;
}

static int load(const char *path, bool service, bool logged, struct conf **ret_conf, struct err *e)
{
	CLEANUP(conf_problems_clear) struct conf_problems problems;
	CLEANUP(conf_freep) struct conf *c = NULL;

	conf_read(path, &c, &problems);
	for (size_t i = 0; i < problems.count && logged; i++) {
		if (is_fatal(&problems.list[i], service))
			log_line(LOG_LEVEL_ERROR, "invalid configuration", LOG_STR("file", path),
				 LOG_INT("line", problems.list[i].line),
				 LOG_STR("error", problems.list[i].message));
	}
	if (summarize(&problems, path, service, e) < 0)
		return -1;
	*ret_conf = STEAL(c);
	return 0;
}

int conf_load(const char *path, struct conf **ret_conf, struct err *e)
{
	return load(path, false, false, ret_conf, e);
}

int conf_load_complete(const char *path, struct conf **ret_conf, struct err *e)
{
	return load(path, true, false, ret_conf, e);
}

int conf_load_logged(const char *path, struct conf **ret_conf, struct err *e)
{
	return load(path, true, true, ret_conf, e);
}

void conf_free(struct conf *c)
{
	if (c == NULL)
		return;
	for (int i = 0; i < CONF_OPTION_COUNT; i++)
		free(c->values[i].text);
	free(c);
}

void conf_freep(struct conf **c)
{
	conf_free(*c);
}

/* ---- values ---------------------------------------------------------------------------------- */

const char *conf_string(const struct conf *c, enum conf_option option)
{
	return c->values[option].text;
}

uint64_t conf_number(const struct conf *c, enum conf_option option)
{
	return c->values[option].number;
}

bool conf_bool(const struct conf *c, enum conf_option option)
{
	return c->values[option].number != 0;
}

unsigned conf_line(const struct conf *c, enum conf_option option)
{
	return c->values[option].line;
}

const char *conf_needs_restart(const struct conf *before, const struct conf *after)
{
	for (int i = 0; i < CONF_OPTION_COUNT; i++) {
		const struct conf_spec *spec = conf_spec((enum conf_option)i);
		const char *a = before->values[i].text, *b = after->values[i].text;
		if (spec->needs_restart && strcmp(a ? a : "", b ? b : "") != 0)
			return spec->name;
	}
	return NULL;
}

int conf_require(const struct conf *c, enum conf_option option, const char **ret_value,
		 struct err *e)
{
	if (c->values[option].text == NULL)
		return err_set(e, ERR_INVALID, NULL, "%s is not set in the configuration",
			       conf_spec(option)->name);
	*ret_value = c->values[option].text;
	return 0;
}
