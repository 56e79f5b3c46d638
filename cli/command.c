/* The table of commands of fsa(1). */
#include "command.h"

#include <limits.h>

#include "base/cleanup.h"
#include "command/output.h"

#define TAKES(option) (1ULL << (option))
/* The options of commands that change a project. */
#define CHANGE (TAKES(OPTION_WAIT) | TAKES(OPTION_YES))

static const struct command_option_spec options[OPTION_COUNT] = {
	[OPTION_JSON] = { "json", NULL, "print JSON instead of text" },
	[OPTION_AGENT] = { "agent", NULL, "start the coding agent in the first terminal" },
	[OPTION_APP] = { "app", NULL, "open the project's application" },
	[OPTION_BRANCH] = { "branch", "NAME", "this branch or tag of the repository" },
	[OPTION_CA_FILE] = { "ca-file", "FILE",
			     "trust the certificate authorities in FILE, for this site" },
	[OPTION_CLUSTER] = { "cluster", "NAME", "in this cluster; `fsa clusters` lists yours" },
	[OPTION_DESCRIPTION] = { "description", "TEXT", "describe the project" },
	[OPTION_DETACH] = { "detach", NULL, "start the task and do not follow it" },
	[OPTION_EXPIRES] = { "expires", "TIME", "end it after so long (12h, 3d)" },
	[OPTION_FOLDER] = { "folder", "NAME", "the repository's folder in the home directory" },
	[OPTION_FOLLOW] = { "follow", NULL, "go on with what is added to it" },
	[OPTION_FROM] = { "from", "FILE", "set all variables of a .env file; - is standard input" },
	[OPTION_IMAGE] = { "image", "NAME", "of this image; `fsa images` lists them" },
	[OPTION_NAME] = { "name", "TEXT", "what the port is for" },
	[OPTION_NO_DATABASE] = { "no-database", NULL, "create a sandbox only" },
	[OPTION_NO_INPUT] = { "no-input", NULL, "the command has no standard input" },
	[OPTION_PERMANENT] = { "permanent", NULL, "for good, also out of the trash" },
	[OPTION_PRINT] = { "print", NULL, "print the address instead of opening it" },
	[OPTION_PRIVATE] = { "private", NULL,
			     "only for its owner and editors, and who has a link or a token" },
	[OPTION_REPOSITORY] = { "repository", "URL", "clone this git repository into it" },
	[OPTION_SECRET] = { "secret", NULL, "hide the values in lists" },
	[OPTION_SHOW] = { "show", NULL, "show all values, even secret ones" },
	[OPTION_SIZE] = { "size", "NAME", "the sandbox's size; `fsa sizes` lists them" },
	[OPTION_STARTER] = { "starter", NULL, "start a small application in it" },
	[OPTION_STDIO] = { "stdio", NULL, "only the connection, for OpenSSH's ProxyCommand" },
	[OPTION_TEMPLATE] = { "template", "NAME", "from this; `fsa templates` lists them" },
	[OPTION_TOKEN] = { "token", NULL, "read an API token from standard input" },
	[OPTION_USER] = { "user", "NAME",
			  "log in with a name and a password, which is prompted for" },
	[OPTION_WAIT] = { "wait", NULL, "wait until the change is complete" },
	[OPTION_WATCH] = { "watch", NULL, "keep running, and print each change" },
	[OPTION_YES] = { "yes", NULL, "do not ask, even if data would be lost" },
};

_Static_assert((int)OPTION_COUNT <= (int)COMMAND_OPTIONS_MAX, "an option's bit is a flag");

static const struct command commands[] = {
	{ "login", "[URL]", 0, 1, TAKES(OPTION_TOKEN) | TAKES(OPTION_USER) | TAKES(OPTION_CA_FILE),
	  "log in to a site, and use it from now on", command_login },
	{ "logout", "", 0, 0, 0, "forget a site's token", command_logout },
	{ "token", "", 0, 0, 0, "print the token, for other programs", command_token },
	{ "projects", "", 0, 0, 0, "list your projects", command_projects },
	{ "clusters", "", 0, 0, 0, "list your clusters", command_clusters },
	{ "create", "NAME", 1, 1,
	  TAKES(OPTION_AGENT) | TAKES(OPTION_BRANCH) | TAKES(OPTION_CLUSTER) |
		  TAKES(OPTION_DESCRIPTION) | TAKES(OPTION_EXPIRES) | TAKES(OPTION_FOLDER) |
		  TAKES(OPTION_IMAGE) | TAKES(OPTION_NO_DATABASE) | TAKES(OPTION_REPOSITORY) |
		  TAKES(OPTION_SIZE) | TAKES(OPTION_STARTER) | TAKES(OPTION_TEMPLATE) |
		  TAKES(OPTION_WAIT),
	  "create a project: a sandbox and a database", command_create },
	{ "sizes", "", 0, 0, 0, "list the sizes that a sandbox can have", command_sizes },
	{ "resize", "PROJECT SIZE|default", 2, 2, CHANGE,
	  "change the size of a project's sandbox, which restarts it", command_resize },
	{ "images", "", 0, 0, 0, "list the images that a sandbox can have", command_images },
	{ "templates", "", 0, 0, 0, "list what a project can begin with", command_templates },
	{ "set-image", "PROJECT IMAGE|default", 2, 2, CHANGE,
	  "change the image of a project's sandbox, which restarts it", command_set_image },
	{ "start", "PROJECT", 1, 1, CHANGE, "start a project", command_start },
	{ "stop", "PROJECT", 1, 1, CHANGE, "stop a project; files and data stay", command_stop },
	{ "restart", "PROJECT", 1, 1, CHANGE, "replace the sandbox's pod", command_restart },
	{ "expire", "PROJECT TIME|never", 2, 2, 0,
	  "end a project after so long (12h, 3d): first stopped, later deleted", command_expire },
	{ "idle", "PROJECT TIME|never|default", 2, 2, 0,
	  "stop a project when nothing has happened in it for so long (30m, 8h)", command_idle },
	{ "keep", "PROJECT TIME", 2, 2, 0, "keep a project from that for so long (8h, 2d)",
	  command_keep },
	{ "wake", "PROJECT owner|members|anyone|never", 2, 2, 0,
	  "choose whose visit to its address starts a stopped project", command_wake },
	{ "delete", "PROJECT", 1, 1, CHANGE | TAKES(OPTION_PERMANENT),
	  "delete a project; the site may keep it in a trash for a while", command_delete },
	{ "trash", "", 0, 0, 0, "list the projects in the trash", command_trash },
	{ "restore", "PROJECT [NAME]", 1, 2, 0, "bring a project back from the trash",
	  command_restore },
	{ "database add", "PROJECT", 1, 1, TAKES(OPTION_YES),
	  "add a database to a project that has none", command_database_add },
	{ "database remove", "PROJECT", 1, 1, TAKES(OPTION_YES),
	  "remove a project's database with its data", command_database_remove },
	{ "status", "PROJECT", 1, 1, TAKES(OPTION_WATCH), "print a project's status",
	  command_status },
	{ "explain", "PROJECT", 1, 1, 0,
	  "explain a project's status, what to do, and what happened", command_explain },
	{ "env list", "PROJECT", 1, 1, TAKES(OPTION_SHOW), "list a project's variables",
	  command_env_list },
	{ "env set", "PROJECT [KEY=VALUE|KEY ...]", 1, ARGUMENTS_MAX + 1,
	  TAKES(OPTION_FROM) | TAKES(OPTION_SECRET) | TAKES(OPTION_YES),
	  "set variables; the value of a KEY alone is read from standard input", command_env_set },
	{ "env unset", "PROJECT KEY ...", 2, ARGUMENTS_MAX + 1, TAKES(OPTION_YES),
	  "remove variables", command_env_unset },
	{ "open", "PROJECT", 1, 1, TAKES(OPTION_APP) | TAKES(OPTION_PRINT),
	  "open a project's page, with its terminal, in the browser", command_open },
	{ "port list", "PROJECT", 1, 1, 0,
	  "list the ports of the sandbox that are open, with their addresses", command_port_list },
	{ "port open", "PROJECT PORT", 2, 2, TAKES(OPTION_NAME) | TAKES(OPTION_PRIVATE),
	  "open a port of the sandbox at an address of its own, to everybody unless --private",
	  command_port_open },
	{ "port link", "PROJECT PORT", 2, 2, TAKES(OPTION_EXPIRES),
	  "print a link to a private port, which lets in whoever has it", command_port_link },
	{ "port close", "PROJECT PORT", 2, 2, 0, "close a port, and take its address away",
	  command_port_close },
	{ "member list", "PROJECT", 1, 1, 0, "list the owner and the members of a project",
	  command_member_list },
	{ "member invite", "PROJECT editor|viewer [NAME]", 2, 3, 0,
	  "invite a user, or whoever gets the link, to a project", command_member_invite },
	{ "member role", "PROJECT NAME editor|viewer", 3, 3, 0, "change what a member may do",
	  command_member_role },
	{ "member remove", "PROJECT NAME", 2, 2, 0, "remove a member from a project",
	  command_member_remove },
	{ "join", "LINK", 1, 1, 0, "become a member by the link of an invitation", command_join },
	{ "leave", "PROJECT", 1, 1, 0, "leave a project of somebody else", command_leave },
	{ "shell", "PROJECT [SESSION]", 1, 2, 0,
	  "open a terminal of the sandbox; Enter ~ . leaves it, and the session stays",
	  command_shell },
	{ "run", "PROJECT -- COMMAND", 2, INT_MAX, TAKES(OPTION_NO_INPUT) | COMMAND_VERBATIM,
	  "run a command in the sandbox", command_run },
	{ "agent", "PROJECT PROMPT", 2, 2, TAKES(OPTION_DETACH),
	  "give the sandbox's coding agent a task, and follow it", command_agent },
	{ "app status", "PROJECT", 1, 1, 0, "print the state of the application",
	  command_app_status },
	{ "app start", "PROJECT", 1, 1, 0, "start the application, which the sandbox keeps running",
	  command_app_start },
	{ "app stop", "PROJECT", 1, 1, 0, "stop the application, and leave the sandbox running",
	  command_app_stop },
	{ "app restart", "PROJECT", 1, 1, 0, "end the application and start it again",
	  command_app_restart },
	{ "app log", "PROJECT", 1, 1, TAKES(OPTION_FOLLOW), "print the application's log",
	  command_logs },
	{ "cp", "FROM TO", 2, 2, 0, "copy a file or a folder to PROJECT:PATH, or from there",
	  command_cp },
	{ "logs", "PROJECT [app|start|import]", 1, 2, TAKES(OPTION_FOLLOW),
	  "print the application's log, or that of the sandbox's start or its import",
	  command_logs },
	{ "forward", "PROJECT [HERE:]PORT", 2, 2, 0,
	  "forward a port of this machine to one of the sandbox", command_forward },
	{ "ssh", "PROJECT [ARGUMENT ...]", 1, INT_MAX, TAKES(OPTION_STDIO) | COMMAND_VERBATIM,
	  "connect with OpenSSH's client and its own arguments", command_ssh },
	{ "config-ssh", "", 0, 0, 0,
	  "let ssh, scp, rsync, git and editors use your projects as NAME.fsa",
	  command_config_ssh },
	{ "mcp", "", 0, 0, 0, "serve the Model Context Protocol on standard input and output",
	  command_mcp },
};

const struct command_table fsa_commands = {
	.program = "fsa",
	.global = { "site", "URL", "use this site instead of the one last logged in to" },
	.commands = commands,
	.count = ARRAY_SIZE(commands),
	.options = options,
	.option_count = OPTION_COUNT,
};

bool call_json(const struct call *call, const json_t *value)
{
	if (call->options[OPTION_JSON] == NULL)
		return false;
	output_value(value);
	return true;
}

int call_site(const struct call *call, struct site *ret_site, struct err *e)
{
	return site_open(call->site, ret_site, e);
}
