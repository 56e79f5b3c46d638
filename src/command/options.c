#include "command/options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "command/help.h"
#include "config.h"

bool options_read(const struct command_table *table, int argc, char **argv, const char **ret_global,
		  int *ret_exit)
{
	const struct option longs[] = {
		{ table->global.name, required_argument, NULL, 'g' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'v' },
		{ "commands", no_argument, NULL, 'l' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	*ret_exit = EXIT_SUCCESS;
	/* '+': options after the subcommand belong to it. */
	while ((option = getopt_long(argc, argv, "+", longs, NULL)) != -1) {
		switch (option) {
		case 'g':
			*ret_global = optarg;
			break;
		case 'h':
			help_print_all(table, stdout);
			return false;
		case 'v':
			(void)printf("%s (" PACKAGE_NAME ") " PACKAGE_VERSION "\n", table->program);
			return false;
		case 'l':
			help_print_table(table);
			return false;
		default:
			/* getopt_long() has printed which. */
			(void)fprintf(stderr, "%s: see %s --help\n", table->program,
				      table->program);
			*ret_exit = COMMAND_EXIT_USAGE;
			return false;
		}
	}
	return true;
}
