#ifndef FSA_CTL_COMMAND_H
#define FSA_CTL_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "base/conf.h"
#include "base/err.h"
#include "command/table.h"
#include "db/db.h"

/*
 * The subcommands of fsactl(8), one file each (or each family), and their table. From the table
 * come the parsing of the command line, --help and bash's completion (command/table.h); a test
 * compares fsactl(8) with it.
 */
#define COMMAND_DEFAULT_CONFIG FSA_SYSCONFDIR "/fsa.conf"

enum command_option {
	OPTION_JSON = COMMAND_OPTION_JSON,
	OPTION_ACTION,
	OPTION_ALL,
	OPTION_COMPLETE,
	OPTION_DAYS,
	OPTION_DELETE,
	OPTION_DESCRIPTION,
	OPTION_END,
	OPTION_FILE, /* a command that takes it reads the configuration itself */
	OPTION_FORGET,
	OPTION_IMAGE,
	OPTION_INGRESS_CLASS,
	OPTION_INGRESS_DOMAIN,
	OPTION_LIMIT,
	OPTION_LOOK,
	OPTION_MESSAGE,
	OPTION_NO_START,
	OPTION_PASSWORD_STDIN,
	OPTION_PORTS,
	OPTION_RECORD,
	OPTION_REPLACE,
	OPTION_RUN_AS,
	OPTION_SINCE,
	OPTION_SIZE,
	OPTION_SQL_DIR,
	OPTION_STATUS,
	OPTION_STORAGE_CLASS,
	OPTION_USER,
	OPTION_VARIABLES,
	OPTION_WITHDRAW,
	OPTION_YES,
	OPTION_COUNT
};

/* A command line that was found to be right. */
struct call {
	const struct conf *conf;           /* NULL for a command that reads it itself */
	const char *config_path;           /* where it is */
	const char *options[OPTION_COUNT]; /* NULL: not given; "" for one without an argument */
	char **arguments;
	int argument_count;
};

/* A flag beside the options: the command checks fsa.conf itself, and `call->conf` is NULL. */
#define COMMAND_ANY_CONFIG (1ULL << 61)

extern const struct command_table fsactl_commands;

/* Reads options and arguments of a command; `argv[0]` is the last word of its name. ERR_INVALID
 * with code USAGE. */
int call_parse(const struct command *command, int argc, char **argv, struct call *ret_call,
	       struct err *e);
/* The number that an option was given, from 1 to `max`; `otherwise` when it was not. */
int call_number(const struct call *call, enum command_option option, unsigned max,
		unsigned otherwise, unsigned *ret_number, struct err *e);
/* A connection as the owner of the schema. Never NULL: the first statement connects. */
struct db *call_database(const struct call *call);
/* The same without a time limit, for migrations and statements on whole tables. */
struct db *call_database_patient(const struct call *call);

int command_audit(const struct call *call, struct err *e);
int command_backup(const struct call *call, struct err *e);
int command_config_check(const struct call *call, struct err *e);
int command_config_show(const struct call *call, struct err *e);
int command_doctor(const struct call *call, struct err *e);
int command_import(const struct call *call, struct err *e);
int command_keys_add(const struct call *call, struct err *e);
int command_keys_list(const struct call *call, struct err *e);
int command_keys_rotate(const struct call *call, struct err *e);
int command_maintenance_off(const struct call *call, struct err *e);
int command_maintenance_on(const struct call *call, struct err *e);
int command_maintenance_status(const struct call *call, struct err *e);
int command_migrate(const struct call *call, struct err *e);
int command_orphans(const struct call *call, struct err *e);
int command_project_delete(const struct call *call, struct err *e);
int command_project_explain(const struct call *call, struct err *e);
int command_project_forget(const struct call *call, struct err *e);
int command_project_list(const struct call *call, struct err *e);
int command_project_retry(const struct call *call, struct err *e);
int command_project_show(const struct call *call, struct err *e);
int command_project_start(const struct call *call, struct err *e);
int command_project_stop(const struct call *call, struct err *e);
int command_restore(const struct call *call, struct err *e);
int command_image_allow(const struct call *call, struct err *e);
int command_image_disallow(const struct call *call, struct err *e);
int command_image_list(const struct call *call, struct err *e);
int command_image_remove(const struct call *call, struct err *e);
int command_image_set(const struct call *call, struct err *e);
int command_cluster_list(const struct call *call, struct err *e);
int command_cluster_remove(const struct call *call, struct err *e);
int command_cluster_set(const struct call *call, struct err *e);
int command_size_list(const struct call *call, struct err *e);
int command_size_remove(const struct call *call, struct err *e);
int command_size_set(const struct call *call, struct err *e);
int command_template_list(const struct call *call, struct err *e);
int command_template_remove(const struct call *call, struct err *e);
int command_template_set(const struct call *call, struct err *e);
int command_user_create(const struct call *call, struct err *e);
int command_user_delete(const struct call *call, struct err *e);
int command_user_disable(const struct call *call, struct err *e);
int command_user_enable(const struct call *call, struct err *e);
int command_user_invite(const struct call *call, struct err *e);
int command_user_limit(const struct call *call, struct err *e);
int command_user_list(const struct call *call, struct err *e);
int command_user_password(const struct call *call, struct err *e);
int command_user_rename(const struct call *call, struct err *e);
int command_user_role(const struct call *call, struct err *e);
int command_user_sessions(const struct call *call, struct err *e);
int command_user_show(const struct call *call, struct err *e);

#endif
