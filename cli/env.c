/* env list, set and unset: a project's variables. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ask.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/mem.h"
#include "command.h"
#include "command/output.h"
#include "dotenv.h"
#include "project.h"

enum { FILE_MAX = 1 << 20, VALUE_MAX = 32768 };

static int find_project(const struct call *call, struct site *site, json_t **ret_project,
			struct err *e)
{
	if (call_site(call, site, e) < 0)
		return -1;
	return project_find(site, call->arguments[0], ret_project, e);
}

int command_env_list(const struct call *call, struct err *e)
{
	static const struct output_column columns[] = {
		{ "key", "NAME" },
		{ "value", "VALUE" },
		{ "isSecret", "SECRET" },
		{ "category", "CATEGORY" },
	};
	CLEANUP(site_close) struct site site = { 0 };
	CLEANUP(json_decrefp) json_t *project = NULL, *variables = NULL;
	bool show = call->options[OPTION_SHOW] != NULL;

	if (find_project(call, &site, &project, e) < 0 ||
	    project_variables(&site, project_id(project), show, &variables, e) < 0)
		return -1;
	if (!call_json(call, variables))
		output_rows(columns, ARRAY_SIZE(columns), variables);
	return 0;
}

/* ---- set ------------------------------------------------------------------------------------- */

static int read_stream(FILE *from, const char *name, struct buf *text, struct err *e)
{
	char part[4096];
	size_t got;

	while ((got = fread(part, 1, sizeof(part), from)) > 0) {
		if (buf_append(text, part, got, e) < 0)
			return err_wrap(e, "%s", name);
	}
	return ferror(from) ? err_set(e, ERR_INVALID, NULL, "%s: %s", name, strerror(errno)) : 0;
}

static int read_file(const char *path, json_t *values, struct err *e)
{
	CLEANUP(buf_wipe) struct buf text = BUF_INIT(FILE_MAX);
	CLEANUP(json_decrefp) json_t *found = NULL;
	int status;

	if (strcmp(path, "-") == 0)
		status = read_stream(stdin, "standard input", &text, e);
	else
		status = buf_read_file(&text, path, e);
	if (status < 0)
		return -1;
	if (dotenv_read(text.data ? text.data : "", text.length, &found, e) < 0)
		return err_wrap(e, "%s", path);
	(void)json_object_update(values, found);
	return 0;
}

/* Reads "KEY=VALUE", or "KEY", whose value comes from standard input so that no list of processes
 * shows it. */
static int read_word(const char *word, json_t *values, struct err *e)
{
	size_t length = strcspn(word, "=");
	CLEANUP(cleanup_free) char *key = mem_strndup(word, length);
	CLEANUP(cleanup_free) char *asked = NULL;

	if (word[length] == '\0' && ask_secret(key, VALUE_MAX, &asked, e) < 0)
		return -1;
	json_t *value = json_string(asked != NULL ? asked : word + length + 1);
	if (value == NULL)
		return err_set(e, ERR_INVALID, NULL, "%s: the value is not text (UTF-8)", key);
	(void)json_object_set_new(values, key, value);
	return 0;
}

static int read_values(const struct call *call, json_t *values, struct err *e)
{
	const char *file = call->options[OPTION_FROM];

	if (file != NULL && read_file(file, values, e) < 0)
		return -1;
	for (int i = 1; i < call->argument_count; i++) {
		if (read_word(call->arguments[i], values, e) < 0)
			return -1;
	}
	if (json_object_size(values) == 0)
		return err_set(e, ERR_INVALID, "USAGE",
			       "no variables given: fsa env set PROJECT KEY=VALUE, or --from FILE");
	return 0;
}

static void print_count(const struct call *call, const char *what, size_t count)
{
	CLEANUP(json_decrefp) json_t *shown = json_pack("{s:I}", "count", (json_int_t)count);

	if (!call_json(call, shown))
		(void)printf("%zu %s; a running sandbox restarts with what is set now\n", count,
			     what);
}

/* Whether the user confirms a change that would lose data; if not, the error is kept. */
static bool insists(const struct call *call, struct err *e)
{
	CLEANUP(cleanup_free) char *question = output_printable(e->message);
	struct err refused = *e;
	bool yes = call->options[OPTION_YES] != NULL;

	if (e->kind != ERR_DATA_AT_RISK)
		return false;
	if (!yes && ask_yes(question, &yes, e) == 0 && !yes)
		*e = refused;
	return yes;
}

int command_env_set(const struct call *call, struct err *e)
{
	CLEANUP(site_close) struct site site = { 0 };
	CLEANUP(json_decrefp) json_t *project = NULL, *values = json_object();

	if (read_values(call, values, e) < 0 || find_project(call, &site, &project, e) < 0)
		return -1;
	CLEANUP(json_decrefp)
	json_t *variables = project_make_variables(values, call->options[OPTION_SECRET] != NULL);
	const char *id = project_id(project);
	if (project_set_variables(&site, id, variables, false, e) < 0 &&
	    (!insists(call, e) || project_set_variables(&site, id, variables, true, e) < 0))
		return -1;
	print_count(call, "set", json_array_size(variables));
	return 0;
}

int command_env_unset(const struct call *call, struct err *e)
{
	CLEANUP(site_close) struct site site = { 0 };
	CLEANUP(json_decrefp) json_t *project = NULL;
	CLEANUP(json_decrefp) json_t *keys = json_array();

	for (int i = 1; i < call->argument_count; i++)
		(void)json_array_append_new(keys, json_string_nocheck(call->arguments[i]));
	if (find_project(call, &site, &project, e) < 0)
		return -1;
	const char *id = project_id(project);
	if (project_unset_variables(&site, id, keys, false, e) < 0 &&
	    (!insists(call, e) || project_unset_variables(&site, id, keys, true, e) < 0))
		return -1;
	print_count(call, "removed", json_array_size(keys));
	return 0;
}
