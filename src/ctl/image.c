/* fsactl image …: the images of sandboxes that owners can choose from. */
#include "store/image.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/conf_value.h"
#include "base/parse.h"
#include "ctl/administrator.h"
#include "ctl/output.h"
#include "store/size.h"

enum { IMAGE_ARGUMENT_NAME, IMAGE_ARGUMENT_REFERENCE };
enum { USER_DEFAULT = 1000 }; /* that of our own image, whose group the home directory has */

static const struct output_column columns[] = {
	{ "name", "NAME" },     { "reference", "IMAGE" },         { "complete", "COMPLETE" },
	{ "runAs", "RUNS AS" }, { "description", "DESCRIPTION" },
};

static int needs_tools(struct err *e)
{
	return err_set(e, ERR_INVALID, "USAGE",
		       "an image without terminal and sandboxd needs tools_image of fsa.conf(5); "
		       "--complete: it has them");
}

/* A pattern is a line with a reference alone. */
int command_image_list(const struct call *call, struct err *e)
{
	CLEANUP(db_freep) struct db *db = call_database(call);
	CLEANUP(json_decrefp) json_t *images = NULL, *patterns = NULL;
	const json_t *row;
	size_t i;

	if (image_list(db, &images, e) < 0 || image_patterns(db, &patterns, e) < 0)
		return -1;
	json_array_foreach(patterns, i, row)
	{
		(void)json_array_append_new(images, json_pack("{s:n, s:O}", "name", "reference",
							      json_object_get(row, "pattern")));
	}
	output_list(call, columns, ARRAY_SIZE(columns), images);
	return 0;
}

/* `change` is in a transaction with its line of the audit. */
static int change_patterns(const struct call *call, const char *action,
			   int (*change)(struct db *, const char *, struct err *), struct err *e)
{
	CLEANUP(db_freep) struct db *db = call_database(call);
	CLEANUP(db_rollback_guard) struct db *tx = NULL;
	const char *pattern = call->arguments[0];

	if (db_begin(db, &tx, e) < 0 || change(tx, pattern, e) < 0 ||
	    administrator_note(tx, action, "image", pattern, e) < 0)
		return -1;
	return db_commit(&tx, e);
}

static int allow(struct db *tx, const char *pattern, struct err *e)
{
	struct err failed;

	if (image_allow(tx, pattern, &failed) == 0)
		return 0;
	if (failed.kind == ERR_INVALID)
		return err_set(e, ERR_INVALID, "USAGE",
			       "\"%s\": a pattern ends with \"/*\" or \":*\", as in "
			       "docker.io/library/*",
			       pattern);
	*e = failed;
	return -1;
}

int command_image_allow(const struct call *call, struct err *e)
{
	if (conf_string(call->conf, CONF_TOOLS_IMAGE) == NULL)
		return needs_tools(e);
	return change_patterns(call, "admin.image.allow", allow, e);
}

int command_image_disallow(const struct call *call, struct err *e)
{
	return change_patterns(call, "admin.image.disallow", image_disallow, e);
}

static int check_reference(const char *text, struct err *e)
{
	struct conf_value value = { 0 };

	if (strlen(text) > IMAGE_REFERENCE_MAX ||
	    conf_value_parse(conf_spec(CONF_RUNTIME_IMAGE), text, &value, e) < 0)
		return err_set(e, ERR_INVALID, "USAGE",
			       "\"%s\" is not an image such as registry.example.org/team/image:1.2",
			       text);
	free(value.text);
	return 0;
}

static int read_user(const char *text, int64_t *ret_user, struct err *e)
{
	uint64_t user = USER_DEFAULT;

	if (text != NULL && strcmp(text, "image") == 0)
		user = 0;
	else if (text != NULL && !parse_u64(text, 1, INT32_MAX, &user))
		return err_set(e, ERR_INVALID, "USAGE",
			       "--run-as: a number above 0, as pods may not run as root, or "
			       "\"image\" for the user that the image names");
	*ret_user = (int64_t)user;
	return 0;
}

static int read_image(const struct call *call, struct image *ret_image, struct err *e)
{
	const char *description = call->options[OPTION_DESCRIPTION];

	*ret_image = (struct image) {
		.name = call->arguments[IMAGE_ARGUMENT_NAME],
		.reference = call->arguments[IMAGE_ARGUMENT_REFERENCE],
		.description = description != NULL ? description : "",
		.complete = call->options[OPTION_COMPLETE] != NULL,
	};
	if (strcmp(ret_image->name, "default") == 0)
		return err_set(e, ERR_INVALID, "USAGE",
			       "\"default\" is what a sandbox without an image of its own has: "
			       "runtime_image of fsa.conf(5)");
	if (!parse_is_utf8(ret_image->description, strlen(ret_image->description)) ||
	    strlen(ret_image->description) > SIZE_DESCRIPTION_MAX)
		return err_set(e, ERR_INVALID, "USAGE", "--description: UTF-8, at most %d bytes",
			       SIZE_DESCRIPTION_MAX);
	if (!ret_image->complete && conf_string(call->conf, CONF_TOOLS_IMAGE) == NULL)
		return needs_tools(e);
	if (check_reference(ret_image->reference, e) < 0)
		return -1;
	return read_user(call->options[OPTION_RUN_AS], &ret_image->run_as, e);
}

int command_image_set(const struct call *call, struct err *e)
{
	CLEANUP(db_freep) struct db *db = call_database(call);
	CLEANUP(db_rollback_guard) struct db *tx = NULL;
	struct image image;
	struct err failed;

	if (read_image(call, &image, e) < 0 || db_begin(db, &tx, e) < 0)
		return -1;
	if (image_set(tx, &image, &failed) < 0) {
		if (failed.kind != ERR_INVALID) {
			*e = failed;
			return -1;
		}
		return err_set(e, ERR_INVALID, "USAGE",
			       "\"%s\": an image's name has up to %d of a-z, 0-9 and '-' inside",
			       image.name, SIZE_NAME_MAX);
	}
	if (administrator_note(tx, "admin.image.set", "image", image.name, e) < 0)
		return -1;
	return db_commit(&tx, e);
}

int command_image_remove(const struct call *call, struct err *e)
{
	CLEANUP(db_freep) struct db *db = call_database(call);
	CLEANUP(db_rollback_guard) struct db *tx = NULL;
	const char *name = call->arguments[IMAGE_ARGUMENT_NAME];

	if (db_begin(db, &tx, e) < 0 || image_remove(tx, name, e) < 0 ||
	    administrator_note(tx, "admin.image.remove", "image", name, e) < 0)
		return -1;
	return db_commit(&tx, e);
}
