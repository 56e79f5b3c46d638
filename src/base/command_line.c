#include "base/command_line.h"

#include <assert.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "config.h"

enum {
	OPTION_HELP = 'h',
	OPTION_VERSION = 'v',
	OPTION_ROWS = 256
}; /* what getopt_long() returns */

/* Converts the options for getopt_long(). */
static void fill(const struct command_line_option *rows,
		 struct option ret_longs[COMMAND_LINE_OPTIONS_MAX + 3])
{
	int count = 0;

	for (; rows[count].name != NULL; count++) {
		assert(count < COMMAND_LINE_OPTIONS_MAX);
		ret_longs[count] = (struct option) {
			.name = rows[count].name,
			.has_arg =
				rows[count].ret_argument != NULL ? required_argument : no_argument,
			.val = OPTION_ROWS + count,
		};
	}
	ret_longs[count] = (struct option) { "help", no_argument, NULL, OPTION_HELP };
	ret_longs[count + 1] = (struct option) { "version", no_argument, NULL, OPTION_VERSION };
	ret_longs[count + 2] = (struct option) { 0 };
}

static void set(const struct command_line_option *row)
{
	if (row->ret_argument != NULL)
		*row->ret_argument = optarg;
	else
		*row->ret_given = true;
}

bool command_line_read(const struct command_line *line, int argc, char **argv, int *ret_exit)
{
	struct option longs[COMMAND_LINE_OPTIONS_MAX + 3];
	int option;

	fill(line->options, longs);
	*ret_exit = EXIT_SUCCESS;
	while ((option = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (option >= OPTION_ROWS) {
			set(&line->options[option - OPTION_ROWS]);
		} else if (option == OPTION_HELP) {
			(void)fputs(line->usage, stdout);
			return false;
		} else if (option == OPTION_VERSION) {
			(void)printf("%s " PACKAGE_VERSION "\n", line->program);
			return false;
		} else { /* getopt_long() has printed which */
			(void)fputs(line->usage, stderr);
			*ret_exit = EX_USAGE;
			return false;
		}
	}
	if (optind == argc)
		return true;
	(void)fprintf(stderr, "\"%s\": no arguments are accepted\n%s", argv[optind], line->usage);
	*ret_exit = EX_USAGE;
	return false;
}
