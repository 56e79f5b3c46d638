/* The table of commands, and what is derived from it. */
#include "ctl/command.h"

#include "base/cleanup.h"
#include "base/parse.h"

/* A migration may rewrite a large table. */
enum { PATIENT_MS = 3600 * 1000 };

#define TAKES(option) (1ULL << (option))

static const struct command_option_spec options[OPTION_COUNT] = {
	[OPTION_JSON] = { "json", NULL, "print JSON instead of columns" },
	[OPTION_ACTION] = { "action", "WORD", "only actions whose names begin with this" },
	[OPTION_ALL] = { "all", NULL, "include projects that are being deleted" },
	[OPTION_COMPLETE] = { "complete", NULL, "the image has the terminal and sandboxd" },
	[OPTION_DAYS] = { "days", "N", "how long the link works; 7 days by default" },
	[OPTION_DELETE] = { "delete", NULL, "delete them; without this option, only list them" },
	[OPTION_DESCRIPTION] = { "description", "TEXT", "description for owners" },
	[OPTION_END] = { "end", NULL, "end them all" },
	[OPTION_FILE] = { "file", "FILE", "read this file instead of fsa.conf" },
	[OPTION_FORGET] = { "forget", NULL, "leave objects in a cluster that no longer works" },
	[OPTION_IMAGE] = { "image", "NAME", "one of the images" },
	[OPTION_INGRESS_CLASS] = { "ingress-class", "NAME", "the class of its Ingresses" },
	[OPTION_INGRESS_DOMAIN] = { "ingress-domain", "DOMAIN", "the domain of its sandboxes" },
	[OPTION_LIMIT] = { "limit", "N", "at most this many, newest first" },
	[OPTION_LOOK] = { "look", NULL, "observe the cluster, too" },
	[OPTION_MESSAGE] = { "message", "TEXT", "text for users" },
	[OPTION_NO_START] = { "no-start", NULL, "restore only, without starting anything" },
	[OPTION_PASSWORD_STDIN] = { "password-stdin", NULL,
				    "read the password from standard input; make no link" },
	[OPTION_PORTS] = { "ports", "PORT,...", "private ports that are open" },
	[OPTION_RECORD] = { "record", NULL,
			    "keep what was found for the console's administrators" },
	[OPTION_REPLACE] = { "replace", NULL, "replace the existing site, which is lost" },
	[OPTION_RUN_AS] = { "run-as", "UID|image", "the image's user; 1000 by default" },
	[OPTION_SINCE] = { "since", "TIME", "only since then: 2h, 7d or 2026-11-29T10:00Z" },
	[OPTION_SIZE] = { "size", "NAME", "one of the sizes" },
	[OPTION_SQL_DIR] = { "sql-dir", "DIR", "directory of the migrations" },
	[OPTION_STATUS] = { "status", NULL, "list migrations, and change nothing" },
	[OPTION_STORAGE_CLASS] = { "storage-class", "NAME", "the class of its volumes" },
	[OPTION_USER] = { "user", "USER", "only what concerns this user" },
	[OPTION_VARIABLES] = { "variables", "FILE", "a file of NAME=value lines" },
	[OPTION_WITHDRAW] = { "withdraw", NULL, "end the present link, and make none" },
	[OPTION_YES] = { "yes", NULL, "do it; without this option, only show it" },
};

_Static_assert((int)OPTION_COUNT <= (int)COMMAND_OPTIONS_MAX, "an option's bit is a flag");

static const struct command commands[] = {
	{ "config check", "", 0, 0, TAKES(OPTION_FILE),
	  "list everything that is wrong with fsa.conf", command_config_check },
	{ "config show", "[OPTION]", 0, 1, TAKES(OPTION_FILE),
	  "show every option's value, and where it is set", command_config_show },
	{ "migrate", "", 0, 0, TAKES(OPTION_SQL_DIR) | TAKES(OPTION_STATUS),
	  "bring the database's schema up to date", command_migrate },
	{ "keys add", "cluster|owner", 1, 1, 0, "make a key pair, to which new values are sealed",
	  command_keys_add },
	{ "keys list", "", 0, 0, 0, "list the keys, and how many values are sealed to each",
	  command_keys_list },
	{ "keys rotate", "cluster|owner", 1, 1, 0, "reseal all values to the newest key",
	  command_keys_rotate },
	{ "user list", "", 0, 0, 0, "list the users", command_user_list },
	{ "user show", "USER", 1, 1, 0, "show a user's identities, clusters and projects",
	  command_user_show },
	{ "user invite", "NAME", 1, 1, TAKES(OPTION_DAYS) | TAKES(OPTION_WITHDRAW),
	  "make a link for a new or existing user to set a password", command_user_invite },
	{ "user create", "NAME", 1, 1, TAKES(OPTION_DAYS) | TAKES(OPTION_PASSWORD_STDIN),
	  "create a user, with a link to set a password", command_user_create },
	{ "user password", "USER", 1, 1, TAKES(OPTION_DAYS) | TAKES(OPTION_PASSWORD_STDIN),
	  "end a user's password, with a link to set a new one", command_user_password },
	{ "user rename", "USER NAME", 2, 2, 0, "rename a user, who logs in with the new name",
	  command_user_rename },
	{ "user role", "USER admin|user", 2, 2, 0,
	  "give a user the console's administration, or take it away", command_user_role },
	{ "user disable", "USER", 1, 1, 0, "end a user's sessions, and refuse new ones",
	  command_user_disable },
	{ "user enable", "USER", 1, 1, 0, "let a disabled user log in again", command_user_enable },
	{ "user delete", "USER", 1, 1, TAKES(OPTION_FORGET) | TAKES(OPTION_YES),
	  "show what a user has, and delete the user with all of it", command_user_delete },
	{ "user sessions", "USER", 1, 1, TAKES(OPTION_END), "list or end a user's sessions",
	  command_user_sessions },
	{ "user limit", "USER [LIMIT N|default]", 1, 3, 0, "show a user's limits, or set one",
	  command_user_limit },
	{ "project list", "", 0, 0, TAKES(OPTION_USER) | TAKES(OPTION_ALL),
	  "list the projects of all users", command_project_list },
	{ "project show", "PROJECT", 1, 1, TAKES(OPTION_LIMIT),
	  "show a project's parts, and its events", command_project_show },
	{ "project explain", "PROJECT", 1, 1, TAKES(OPTION_LOOK),
	  "explain a project's status, what is next, and when", command_project_explain },
	{ "project retry", "PROJECT", 1, 1, 0, "reconcile a project at once, with new deadlines",
	  command_project_retry },
	{ "project start", "PROJECT", 1, 1, TAKES(OPTION_YES),
	  "start a project, as its owner could", command_project_start },
	{ "project stop", "PROJECT", 1, 1, TAKES(OPTION_YES), "stop a project, as its owner could",
	  command_project_stop },
	{ "project delete", "PROJECT", 1, 1, TAKES(OPTION_YES),
	  "delete a project and its volumes, as its owner could", command_project_delete },
	{ "project forget", "PROJECT", 1, 1, TAKES(OPTION_YES),
	  "delete the rows of a project whose cluster is gone", command_project_forget },
	{ "image list", "", 0, 0, 0, "list the images that owners can choose for sandboxes",
	  command_image_list },
	{ "image set", "NAME IMAGE", 2, 2,
	  TAKES(OPTION_COMPLETE) | TAKES(OPTION_DESCRIPTION) | TAKES(OPTION_RUN_AS),
	  "offer an image, or change it; existing sandboxes keep theirs", command_image_set },
	{ "image allow", "PATTERN", 1, 1, 0,
	  "let owners choose any image whose reference begins like that", command_image_allow },
	{ "image disallow", "PATTERN", 1, 1, 0, "end that; existing sandboxes keep their images",
	  command_image_disallow },
	{ "image remove", "NAME", 1, 1, 0, "remove an image; existing sandboxes keep theirs",
	  command_image_remove },
	{ "cluster list", "", 0, 0, 0, "list what differs in some clusters from fsa.conf",
	  command_cluster_list },
	{ "cluster set", "SERVER", 1, 1,
	  TAKES(OPTION_INGRESS_CLASS) | TAKES(OPTION_INGRESS_DOMAIN) | TAKES(OPTION_STORAGE_CLASS),
	  "say what differs in a cluster; what is there already stays", command_cluster_set },
	{ "cluster remove", "SERVER", 1, 1, 0, "create things there as fsa.conf says again",
	  command_cluster_remove },
	{ "size list", "", 0, 0, 0, "list the sizes that owners can choose for sandboxes",
	  command_size_list },
	{ "size set", "NAME [REQUEST:]CPU [REQUEST:]MEMORY [STORAGE]", 3, 4,
	  TAKES(OPTION_DESCRIPTION), "make or change a size; existing sandboxes keep theirs",
	  command_size_set },
	{ "size remove", "NAME", 1, 1, 0, "remove a size; existing sandboxes keep theirs",
	  command_size_remove },
	{ "template list", "", 0, 0, 0, "list what projects can begin with",
	  command_template_list },
	{ "template set", "NAME", 1, 1,
	  TAKES(OPTION_DESCRIPTION) | TAKES(OPTION_IMAGE) | TAKES(OPTION_PORTS) |
		  TAKES(OPTION_SIZE) | TAKES(OPTION_VARIABLES),
	  "make or change a template; existing projects stay as they are", command_template_set },
	{ "template remove", "NAME", 1, 1, 0, "remove a template; projects stay as they are",
	  command_template_remove },
	{ "maintenance on", "", 0, 0, TAKES(OPTION_MESSAGE),
	  "begin maintenance: users can read, but change nothing", command_maintenance_on },
	{ "maintenance off", "", 0, 0, 0, "end maintenance", command_maintenance_off },
	{ "maintenance status", "", 0, 0, 0,
	  "show whether it is on, since when, and the users' text", command_maintenance_status },
	{ "doctor", "", 0, 0,
	  TAKES(OPTION_SQL_DIR) | TAKES(OPTION_USER) | TAKES(OPTION_RECORD) | COMMAND_ANY_CONFIG,
	  "check this host, the database and the users' clusters", command_doctor },
	{ "orphans", "", 0, 0, TAKES(OPTION_DELETE) | TAKES(OPTION_USER),
	  "list objects in clusters without a row, and rows without objects", command_orphans },
	{ "import", "CONNINFO", 1, 1, TAKES(OPTION_YES),
	  "import users and projects from version 0.4", command_import },
	{ "backup", "FOLDER", 1, 1, 0, "write database, keys and configuration to a new folder",
	  command_backup },
	{ "restore", "FOLDER", 1, 1,
	  TAKES(OPTION_REPLACE) | TAKES(OPTION_NO_START) | TAKES(OPTION_SQL_DIR),
	  "restore a site from a backup, on an empty host", command_restore },
	{ "audit", "", 0, 0,
	  TAKES(OPTION_USER) | TAKES(OPTION_ACTION) | TAKES(OPTION_SINCE) | TAKES(OPTION_LIMIT),
	  "list who did what, newest first", command_audit },
};

const struct command_table fsactl_commands = {
	.program = "fsactl",
	.global = { "config", "FILE", "instead of " COMMAND_DEFAULT_CONFIG },
	.commands = commands,
	.count = ARRAY_SIZE(commands),
	.options = options,
	.option_count = OPTION_COUNT,
};

int call_parse(const struct command *command, int argc, char **argv, struct call *ret_call,
	       struct err *e)
{
	int first;

	if (command_parse(&fsactl_commands, command, argc, argv, ret_call->options, &first, e) < 0)
		return -1;
	ret_call->arguments = argv + first;
	ret_call->argument_count = argc - first;
	return 0;
}

int call_number(const struct call *call, enum command_option option, unsigned max,
		unsigned otherwise, unsigned *ret_number, struct err *e)
{
	uint64_t number = otherwise;
	const char *text = call->options[option];

	if (text != NULL && !parse_u64(text, 1, max, &number))
		return err_set(e, ERR_INVALID, "USAGE", "--%s: \"%s\" is not a number from 1 to %u",
			       options[option].name, text, max);
	*ret_number = (unsigned)number;
	return 0;
}

static struct db *open_database(const struct call *call, uint64_t timeout_ms)
{
	return db_new(&(struct db_options) {
		.conninfo = conf_string(call->conf, CONF_DATABASE),
		.role = "fsa_owner",
		.application_name = "fsactl",
		.prepare = conf_bool(call->conf, CONF_DATABASE_PREPARE),
		.timeout_ms = timeout_ms,
	});
}

struct db *call_database(const struct call *call)
{
	return open_database(call, conf_number(call->conf, CONF_DATABASE_TIMEOUT));
}

struct db *call_database_patient(const struct call *call)
{
	return open_database(call, PATIENT_MS);
}
