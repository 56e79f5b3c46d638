/* fsactl: administration. A table of subcommands; see command.h and fsactl(8). */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/conf.h"
#include "base/mem.h"
#include "config.h"
#include "crypto/token.h"
#include "ctl/command.h"

#define DEFAULT_CONFIG FSA_SYSCONFDIR "/fsa.conf"

enum { EXIT_USAGE = 2 };

static const struct command {
	const char *name;
	const char *arguments;
	const char *help;
	int (*run)(const struct conf *conf, int argc, char **argv, struct err *e);
} commands[] = {
	{ "migrate", "[--sql-dir DIR] [--status]", "bring the database's schema up to date",
	  command_migrate },
	{ "keys", "add cluster|owner", "make a new key pair, used from now on", command_keys },
};

static void print_usage(FILE *to)
{
	(void)fputs("Usage: fsactl [--config FILE] COMMAND [ARGUMENTS]\n\nCommands:\n", to);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		(void)fprintf(to, "  %s %s\n        %s\n", commands[i].name, commands[i].arguments,
			      commands[i].help);
	(void)fputs("\nOptions:\n"
		    "  --config FILE  instead of " DEFAULT_CONFIG "\n"
		    "  --help, --version\n",
		    to);
}

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	}
	return NULL;
}

/* Reads the options before the subcommand. Returns false when the program is to end with
 * `*ret_exit`. */
static bool read_options(int argc, char **argv, const char **ret_config, int *ret_exit)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'v' },
		{ 0 },
	};
	int option;

	/* '+': the subcommand's options are its own. */
	while ((option = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			*ret_config = optarg;
			break;
		case 'h':
			print_usage(stdout);
			*ret_exit = EXIT_SUCCESS;
			return false;
		case 'v':
			(void)puts("fsactl (" PACKAGE_NAME ") " PACKAGE_VERSION);
			*ret_exit = EXIT_SUCCESS;
			return false;
		default:
			print_usage(stderr);
			*ret_exit = EXIT_USAGE;
			return false;
		}
	}
	return true;
}

static int fail(const struct err *e)
{
	(void)fprintf(stderr, "fsactl: %s\n", e->message);
	return strcmp(e->code, "USAGE") == 0 ? EXIT_USAGE : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	CLEANUP(conf_freep) struct conf *conf = NULL;
	const char *config = DEFAULT_CONFIG;
	struct err e;
	int status = EXIT_SUCCESS;

	mem_init_libraries();
	crypto_init();
	if (!read_options(argc, argv, &config, &status))
		return status;
	const struct command *command = optind < argc ? find_command(argv[optind]) : NULL;
	if (command == NULL) {
		print_usage(stderr);
		return EXIT_USAGE;
	}
	argc -= optind;
	argv += optind;
	optind = 0; /* GNU: getopt_long() begins anew */
	if (conf_load(config, &conf, &e) < 0 || command->run(conf, argc, argv, &e) < 0)
		return fail(&e);
	return EXIT_SUCCESS;
}
