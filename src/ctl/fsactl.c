/* fsactl(8): administration. See command.h for its table of commands. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/cleanup.h"
#include "base/conf.h"
#include "base/mem.h"
#include "command/help.h"
#include "config.h"
#include "crypto/token.h"
#include "ctl/command.h"

enum { EXIT_USAGE = 2 };

/* Reads the options before the subcommand. Returns false when the program is to end with
 * `*ret_exit`. */
static bool read_options(int argc, char **argv, const char **ret_config, int *ret_exit)
{
	static const struct option longs[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'v' },
		{ "commands", no_argument, NULL, 'l' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	*ret_exit = EXIT_SUCCESS;
	/* '+': the subcommand's options are its own. */
	while ((option = getopt_long(argc, argv, "+", longs, NULL)) != -1) {
		switch (option) {
		case 'c':
			*ret_config = optarg;
			break;
		case 'h':
			help_print_all(&fsactl_commands, stdout);
			return false;
		case 'v':
			(void)puts("fsactl (" PACKAGE_NAME ") " PACKAGE_VERSION);
			return false;
		case 'l':
			help_print_table(&fsactl_commands);
			return false;
		default:
			/* getopt_long() has named it. */
			(void)fputs("fsactl: see fsactl --help\n", stderr);
			*ret_exit = EXIT_USAGE;
			return false;
		}
	}
	return true;
}

static int fail(const struct err *e)
{
	(void)fprintf(stderr, "fsactl: %s\n", e->message);
	if (strcmp(e->code, "CONFIGURATION") == 0)
		return EX_CONFIG;
	if (strcmp(e->code, "DATABASE_AWAY") == 0)
		return EX_TEMPFAIL;
	return strcmp(e->code, "USAGE") == 0 ? EXIT_USAGE : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	CLEANUP(conf_freep) struct conf *conf = NULL;
	struct call call = { 0 };
	const char *config = COMMAND_DEFAULT_CONFIG;
	struct err e;
	int status, words;

	mem_init_libraries();
	crypto_init();
	if (!read_options(argc, argv, &config, &status))
		return status;
	argc -= optind;
	argv += optind;
	const struct command *command = command_find(&fsactl_commands, argc, argv, &words);
	if (help_is_asked(argc, argv) && help_print_about(&fsactl_commands, command, argc, argv))
		return EXIT_SUCCESS;
	if (command == NULL) {
		help_say_unknown(&fsactl_commands, argc, argv);
		return EXIT_USAGE;
	}
	argc -= words - 1;
	argv += words - 1;
	call.config_path = config;
	if (call_parse(command, argc, argv, &call, &e) < 0 ||
	    (!command_takes(command, OPTION_FILE) && (command->options & COMMAND_ANY_CONFIG) == 0 &&
	     conf_load(config, &conf, &e) < 0))
		return fail(&e);
	call.conf = conf;
	status = command->run(&call, &e);
	return status < 0 ? fail(&e) : status;
}
