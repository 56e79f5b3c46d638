/* fsactl template …: what projects can begin with. */
#include "store/template.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/parse.h"
#include "ctl/administrator.h"
#include "ctl/output.h"
#include "domain/environment_file.h"
#include "domain/project.h"
#include "store/environment.h"
#include "store/size.h"

static const struct output_column columns[] = {
	{ "name", "NAME" },   { "image", "IMAGE" },         { "size", "SIZE" },
	{ "ports", "PORTS" }, { "variables", "VARIABLES" }, { "description", "DESCRIPTION" },
};

int command_template_list(const struct call *call, struct err *e)
{
	CLEANUP(db_freep) struct db *db = call_database(call);
	CLEANUP(json_decrefp) json_t *templates = NULL;

	if (template_list(db, &templates, e) < 0)
		return -1;
	output_list(call, columns, ARRAY_SIZE(columns), templates);
	return 0;
}

/* "5173,8000". */
static int read_ports(const char *text, json_t *ret_ports, struct err *e)
{
	CLEANUP(cleanup_free) char *copy = text != NULL ? mem_strdup(text) : NULL;
	char *rest = copy, *word;
	uint64_t port;

	while ((word = strsep(&rest, ",")) != NULL) {
		if (!parse_u64(word, 1, UINT16_MAX, &port) || port == 3000 || port == 7681 ||
		    json_array_size(ret_ports) == TEMPLATE_PORTS_MAX)
			return err_set(e, ERR_INVALID, "USAGE",
				       "--ports: up to %d numbers from 1 to 65535 with commas "
				       "between them, neither 3000 nor 7681",
				       TEMPLATE_PORTS_MAX);
		json_array_append_new(ret_ports, json_integer((json_int_t)port));
	}
	return 0;
}

/* As of an owner's variables: or each project with the template would be refused. */
static int check_variables(json_t *variables, struct err *e)
{
	const char *name;
	json_t *value;

	if (json_object_size(variables) > VARIABLES_MAX)
		return err_set(e, ERR_INVALID, NULL, "--variables: at most %d", VARIABLES_MAX);
	json_object_foreach(variables, name, value)
	{
		if (environment_value_check(json_string_value(value), json_string_length(value),
					    e) < 0)
			return err_wrap(e, "--variables: %s", name);
	}
	return 0;
}

static int read_template(const struct call *call, json_t *ports, json_t **ret_variables,
			 struct template *ret, struct err *e)
{
	const char *description = call->options[OPTION_DESCRIPTION];

	*ret = (struct template) {
		.name = call->arguments[0],
		.description = description != NULL ? description : "",
		.image = call->options[OPTION_IMAGE],
		.size = call->options[OPTION_SIZE],
		.ports = ports,
	};
	if (!parse_is_utf8(ret->description, strlen(ret->description)) ||
	    strlen(ret->description) > SIZE_DESCRIPTION_MAX)
		return err_set(e, ERR_INVALID, "USAGE", "--description: UTF-8, at most %d bytes",
			       SIZE_DESCRIPTION_MAX);
	if (read_ports(call->options[OPTION_PORTS], ports, e) < 0 ||
	    environment_read_file(call->options[OPTION_VARIABLES], ret_variables, e) < 0 ||
	    check_variables(*ret_variables, e) < 0)
		return -1;
	ret->variables = *ret_variables;
	return 0;
}

static int set(struct db *tx, const struct template *template, struct err *e)
{
	struct err failed;

	if (template_set(tx, template, &failed) == 0)
		return administrator_note(tx, "admin.template.set", "template", template->name, e);
	if (failed.kind == ERR_INVALID)
		return err_set(e, ERR_INVALID, "USAGE",
			       "\"%s\": a template's name has up to %d of a-z, 0-9 and '-' inside",
			       template->name, SIZE_NAME_MAX);
	*e = failed;
	return -1;
}

int command_template_set(const struct call *call, struct err *e)
{
	CLEANUP(db_freep) struct db *db = call_database(call);
	CLEANUP(db_rollback_guard) struct db *tx = NULL;
	CLEANUP(json_decrefp) json_t *ports = json_array(), *variables = NULL;
	struct template template;

	if (read_template(call, ports, &variables, &template, e) < 0 || db_begin(db, &tx, e) < 0 ||
	    set(tx, &template, e) < 0)
		return -1;
	return db_commit(&tx, e);
}

int command_template_remove(const struct call *call, struct err *e)
{
	CLEANUP(db_freep) struct db *db = call_database(call);
	CLEANUP(db_rollback_guard) struct db *tx = NULL;
	const char *name = call->arguments[0];

	if (db_begin(db, &tx, e) < 0 || template_remove(tx, name, e) < 0 ||
	    administrator_note(tx, "admin.template.remove", "template", name, e) < 0)
		return -1;
	return db_commit(&tx, e);
}
