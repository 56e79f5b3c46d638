/* fsactl size …: the sizes of sandboxes that owners can choose from. */
#include "store/size.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/parse.h"
#include "base/quantity.h"
#include "ctl/administrator.h"
#include "ctl/output.h"

enum { SIZE_ARGUMENT_NAME, SIZE_ARGUMENT_CPU, SIZE_ARGUMENT_MEMORY, SIZE_ARGUMENT_STORAGE };

static const struct output_column columns[] = {
	{ "name", "NAME" },
	{ "cpuRequest", "CPU REQUEST" },
	{ "cpuLimit", "LIMIT" },
	{ "memoryRequest", "MEMORY REQUEST" },
	{ "memoryLimit", "LIMIT" },
	{ "storageLimit", "STORAGE" },
	{ "description", "DESCRIPTION" },
};

int command_size_list(const struct call *call, struct err *e)
{
	CLEANUP(db_freep) struct db *db = call_database(call);
	CLEANUP(json_decrefp) json_t *sizes = NULL;

	if (size_list(db, &sizes, e) < 0)
		return -1;
	output_list(call, columns, ARRAY_SIZE(columns), sizes);
	return 0;
}

static bool is_amount(const char *text)
{
	return quantity_is_valid(text) && quantity_compare(text, "0") > 0;
}

/* Parses "REQUEST:LIMIT", or only a limit: then the request is the default, or the limit if that is
 * less. Changes `text`, which the results point into. */
static int read_amounts(char *text, const char *request, const char **ret_request,
			const char **ret_limit, struct err *e)
{
	char *colon = strchr(text, ':');
	const char *limit = colon != NULL ? colon + 1 : text;

	if (colon != NULL) {
		*colon = '\0';
		request = text;
	}
	if (!is_amount(limit) || !is_amount(request))
		return err_set(e, ERR_INVALID, "USAGE",
			       "\"%s\" is not an amount above 0, as in 500m, 2 or 1Gi",
			       is_amount(limit) ? request : limit);
	if (quantity_compare(request, limit) > 0) {
		if (colon != NULL)
			return err_set(e, ERR_INVALID, "USAGE",
				       "the request, %s, is more than the limit, %s", request,
				       limit);
		request = limit;
	}
	*ret_request = request;
	*ret_limit = limit;
	return 0;
}

static int read_size(const struct call *call, struct size *ret_size, struct err *e)
{
	char **given = call->arguments;
	const char *description = call->options[OPTION_DESCRIPTION];

	*ret_size = (struct size) {
		.name = given[SIZE_ARGUMENT_NAME],
		.description = description != NULL ? description : "",
		.storage_limit = call->argument_count > SIZE_ARGUMENT_STORAGE
					 ? given[SIZE_ARGUMENT_STORAGE]
					 : conf_string(call->conf, CONF_SANDBOX_STORAGE_LIMIT),
	};
	if (strcmp(ret_size->name, "default") == 0)
		return err_set(e, ERR_INVALID, "USAGE",
			       "\"default\" is what a sandbox without a size has: see fsa.conf(5)");
	if (!parse_is_utf8(ret_size->description, strlen(ret_size->description)) ||
	    strlen(ret_size->description) > SIZE_DESCRIPTION_MAX)
		return err_set(e, ERR_INVALID, "USAGE", "--description: UTF-8, at most %d bytes",
			       SIZE_DESCRIPTION_MAX);
	if (!is_amount(ret_size->storage_limit))
		return err_set(e, ERR_INVALID, "USAGE",
			       "\"%s\" is not an amount above 0, as in 1Gi",
			       ret_size->storage_limit);
	if (read_amounts(given[SIZE_ARGUMENT_CPU],
			 conf_string(call->conf, CONF_SANDBOX_CPU_REQUEST), &ret_size->cpu_request,
			 &ret_size->cpu_limit, e) < 0)
		return -1;
	return read_amounts(given[SIZE_ARGUMENT_MEMORY],
			    conf_string(call->conf, CONF_SANDBOX_MEMORY_REQUEST),
			    &ret_size->memory_request, &ret_size->memory_limit, e);
}

int command_size_set(const struct call *call, struct err *e)
{
	CLEANUP(db_freep) struct db *db = call_database(call);
	CLEANUP(db_rollback_guard) struct db *tx = NULL;
	struct size size;
	struct err failed;

	if (read_size(call, &size, e) < 0 || db_begin(db, &tx, e) < 0)
		return -1;
	if (size_set(tx, &size, &failed) < 0) {
		if (failed.kind != ERR_INVALID) {
			*e = failed;
			return -1;
		}
		return err_set(e, ERR_INVALID, "USAGE",
			       "\"%s\": a size's name has up to %d of a-z, 0-9 and '-' inside",
			       size.name, SIZE_NAME_MAX);
	}
	if (administrator_note(tx, "admin.size.set", "size", size.name, e) < 0)
		return -1;
	return db_commit(&tx, e);
}

int command_size_remove(const struct call *call, struct err *e)
{
	CLEANUP(db_freep) struct db *db = call_database(call);
	CLEANUP(db_rollback_guard) struct db *tx = NULL;
	const char *name = call->arguments[0];

	if (db_begin(db, &tx, e) < 0 || size_remove(tx, name, e) < 0 ||
	    administrator_note(tx, "admin.size.remove", "size", name, e) < 0)
		return -1;
	return db_commit(&tx, e);
}
