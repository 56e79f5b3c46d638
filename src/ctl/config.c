/* fsactl config: shows and checks fsa.conf. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "ctl/command.h"
#include "ctl/output.h"

static const char *chosen_file(const struct call *call)
{
	const char *file = call->options[OPTION_FILE];

	return file != NULL ? file : call->config_path;
}

/* ---- check ----------------------------------------------------------------------------------- */

static void add_finding(json_t *findings, bool warning, unsigned line, const char *message)
{
	(void)json_array_append_new(findings, json_pack("{s:s, s:i, s:s}", "severity",
							warning ? "warning" : "error", "line",
							(int)line, "message", message));
}

/* Checks a file that the configuration names, except keys, which are made later. Without the right
 * to look, nothing is reported. */
static void check_file(const struct conf *c, enum conf_option option, json_t *findings)
{
	const struct conf_spec *spec = conf_spec(option);
	const char *path = conf_string(c, option);
	unsigned line = conf_line(c, option);
	CLEANUP(cleanup_free) char *message = NULL;
	struct stat found = { 0 };
	bool warning = false;

	if (path == NULL || line == 0)
		return;
	if (stat(path, &found) < 0) {
		if (errno == EACCES)
			return;
		message = mem_printf("%s: %s: %s", spec->name, path, strerror(errno));
	} else if (!S_ISREG(found.st_mode)) {
		message = mem_printf("%s: %s is not a file", spec->name, path);
	} else if (spec->type == CONF_SECRET_FILE && (found.st_mode & S_IROTH) != 0) {
		message = mem_printf("%s: everybody on this host may read it: chmod o-rwx %s",
				     spec->name, path);
		warning = true;
	}
	if (message != NULL)
		add_finding(findings, warning, line, message);
}

static json_t *find_problems(const char *path)
{
	static const enum conf_option files[] = {
		CONF_SEALOS_JWT_SECRET_FILE,
		CONF_GITHUB_CLIENT_SECRET_FILE,
		CONF_OIDC_CLIENT_SECRET_FILE,
		CONF_PROVIDER_CA_FILE,
		CONF_KUBE_CA_FILE,
		CONF_OPERATOR_ENV_FILE,
	};
	CLEANUP(conf_problems_clear) struct conf_problems problems;
	CLEANUP(conf_freep) struct conf *c = NULL;
	json_t *findings = json_array();

	conf_read(path, &c, &problems);
	for (size_t i = 0; i < problems.count; i++) {
		const struct conf_problem *p = &problems.list[i];
		add_finding(findings, p->warning, p->line, p->message);
	}
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		check_file(c, files[i], findings);
	return findings;
}

/* In the form of compilers' messages, so that editors find the place. */
static void print_problem(const char *path, const json_t *finding)
{
	long long line = json_integer_value(json_object_get(finding, "line"));
	const char *severity = json_string_value(json_object_get(finding, "severity"));
	const char *message = json_string_value(json_object_get(finding, "message"));
	if (line > 0)
		(void)printf("%s:%lld: %s: %s\n", path, line, severity, message);
	else
		(void)printf("%s: %s: %s\n", path, severity, message);
}

int command_config_check(const struct call *call, struct err *e)
{
	const char *path = chosen_file(call);
	CLEANUP(json_decrefp) json_t *findings = find_problems(path);
	bool failed = false;
	size_t i;
	json_t *finding;

	(void)e;
	json_array_foreach(findings, i, finding)
	{
		const char *severity = json_string_value(json_object_get(finding, "severity"));
		failed = failed || strcmp(severity, "error") == 0;
	}
	if (output_json(call, findings))
		return failed;
	json_array_foreach(findings, i, finding) print_problem(path, finding);
	if (!failed)
		(void)printf("%s is right\n", path);
	return failed;
}

/* ---- show ------------------------------------------------------------------------------------ */

static json_t *describe(const struct conf *c, enum conf_option option, const char *path)
{
	CLEANUP(cleanup_free) char *value = conf_text_to_show(c, option);
	unsigned line = conf_line(c, option);
	CLEANUP(cleanup_free)
	char *from = line > 0 ? mem_printf("%s:%u", path, line) : mem_strdup("default");

	return json_pack("{s:s, s:s?, s:s}", "option", conf_spec(option)->name, "value", value,
			 "from", from);
}

/* Prints only the value, for scripts; nothing if there is none. */
static int show_one(const struct conf *c, const char *name, struct err *e)
{
	for (int i = 0; i < CONF_OPTION_COUNT; i++) {
		if (strcmp(conf_spec((enum conf_option)i)->name, name) != 0)
			continue;
		CLEANUP(cleanup_free) char *value = conf_text_to_show(c, (enum conf_option)i);
		if (value != NULL)
			(void)puts(value);
		return 0;
	}
	return err_set(e, ERR_INVALID, NULL, "%s: no such option, see fsa.conf(5)", name);
}

int command_config_show(const struct call *call, struct err *e)
{
	static const struct output_column columns[] = { { "option", "OPTION" },
							{ "value", "VALUE" },
							{ "from", "FROM" } };
	const char *path = chosen_file(call);
	CLEANUP(conf_freep) struct conf *c = NULL;
	CLEANUP(json_decrefp) json_t *options = json_array();

	if (conf_load(path, &c, e) < 0)
		return -1;
	if (call->argument_count == 1)
		return show_one(c, call->arguments[0], e);
	for (int i = 0; i < CONF_OPTION_COUNT; i++)
		(void)json_array_append_new(options, describe(c, (enum conf_option)i, path));
	output_list(call, columns, ARRAY_SIZE(columns), options);
	return 0;
}
