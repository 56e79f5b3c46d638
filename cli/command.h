#ifndef FSA_CLI_COMMAND_H
#define FSA_CLI_COMMAND_H

#include <jansson.h>

#include "command/table.h"
#include "site.h"

/* The subcommands of fsa(1), one file each (or each family), and their table. fsa is a client of
 * the site's HTTP API and of nothing else. */
enum command_option {
	OPTION_JSON = COMMAND_OPTION_JSON,
	OPTION_AGENT,
	OPTION_APP,
	OPTION_BRANCH,
	OPTION_CA_FILE,
	OPTION_CLUSTER,
	OPTION_DESCRIPTION,
	OPTION_DETACH,
	OPTION_EXPIRES,
	OPTION_FOLDER,
	OPTION_FOLLOW,
	OPTION_FROM,
	OPTION_IMAGE,
	OPTION_NAME,
	OPTION_NO_DATABASE,
	OPTION_NO_INPUT,
	OPTION_PERMANENT,
	OPTION_PRINT,
	OPTION_PRIVATE,
	OPTION_REPOSITORY,
	OPTION_SECRET,
	OPTION_SHOW,
	OPTION_SIZE,
	OPTION_STARTER,
	OPTION_STDIO,
	OPTION_TEMPLATE,
	OPTION_TOKEN,
	OPTION_USER,
	OPTION_WAIT,
	OPTION_WATCH,
	OPTION_YES,
	OPTION_COUNT
};

/* A command line that has been checked. */
struct call {
	const char *site;                  /* from --site or FSA_SITE; or NULL */
	const char *options[OPTION_COUNT]; /* NULL: not given; "" for one without an argument */
	char **arguments;
	int argument_count;
};

enum {
	ARGUMENTS_MAX = 256, /* the most variables that the site accepts at once */
	EXIT_NOT_LOGGED_IN = 3,
	EXIT_NOT_FOUND = 4,
	EXIT_NOT_ALLOWED = 5,
	EXIT_CONFLICT = 6,
	EXIT_PROJECT_ERROR = 7,
	EXIT_INTERRUPTED = 130, /* as of a program that SIGINT ended */
	EXIT_NOT_RUN = 255,     /* for `run`, whose other codes are the command's */
};

extern const struct command_table fsa_commands;

/* With --json, prints the value and returns true. */
bool call_json(const struct call *call, const json_t *value);
/* The call's site, ready for requests. The caller closes it. */
int call_site(const struct call *call, struct site *ret_site, struct err *e);

int command_agent(const struct call *call, struct err *e);
int command_app_restart(const struct call *call, struct err *e);
int command_app_start(const struct call *call, struct err *e);
int command_app_status(const struct call *call, struct err *e);
int command_app_stop(const struct call *call, struct err *e);
int command_config_ssh(const struct call *call, struct err *e);
int command_cp(const struct call *call, struct err *e);
int command_create(const struct call *call, struct err *e);
int command_database_add(const struct call *call, struct err *e);
int command_database_remove(const struct call *call, struct err *e);
int command_delete(const struct call *call, struct err *e);
int command_env_list(const struct call *call, struct err *e);
int command_env_set(const struct call *call, struct err *e);
int command_env_unset(const struct call *call, struct err *e);
int command_expire(const struct call *call, struct err *e);
int command_explain(const struct call *call, struct err *e);
int command_forward(const struct call *call, struct err *e);
int command_idle(const struct call *call, struct err *e);
int command_wake(const struct call *call, struct err *e);
int command_keep(const struct call *call, struct err *e);
int command_join(const struct call *call, struct err *e);
int command_leave(const struct call *call, struct err *e);
int command_login(const struct call *call, struct err *e);
int command_logout(const struct call *call, struct err *e);
int command_images(const struct call *call, struct err *e);
int command_clusters(const struct call *call, struct err *e);
int command_logs(const struct call *call, struct err *e);
int command_mcp(const struct call *call, struct err *e);
int command_member_invite(const struct call *call, struct err *e);
int command_member_list(const struct call *call, struct err *e);
int command_member_remove(const struct call *call, struct err *e);
int command_member_role(const struct call *call, struct err *e);
int command_open(const struct call *call, struct err *e);
int command_port_close(const struct call *call, struct err *e);
int command_port_link(const struct call *call, struct err *e);
int command_port_list(const struct call *call, struct err *e);
int command_port_open(const struct call *call, struct err *e);
int command_projects(const struct call *call, struct err *e);
int command_resize(const struct call *call, struct err *e);
int command_restart(const struct call *call, struct err *e);
int command_restore(const struct call *call, struct err *e);
int command_run(const struct call *call, struct err *e);
int command_set_image(const struct call *call, struct err *e);
int command_shell(const struct call *call, struct err *e);
int command_sizes(const struct call *call, struct err *e);
int command_ssh(const struct call *call, struct err *e);
int command_start(const struct call *call, struct err *e);
int command_status(const struct call *call, struct err *e);
int command_stop(const struct call *call, struct err *e);
int command_templates(const struct call *call, struct err *e);
int command_token(const struct call *call, struct err *e);
int command_trash(const struct call *call, struct err *e);

#endif
