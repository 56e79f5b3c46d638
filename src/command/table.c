#include "command/table.h"

#include <getopt.h>
#include <string.h>

bool command_takes(const struct command *command, unsigned option)
{
	return option == COMMAND_OPTION_JSON || (command->options & (1ULL << option)) != 0;
}

/* Returns how many words of `argv` are the command's name; 0 if it is another command. */
static int match_name(const char *name, int argc, char **argv)
{
	size_t first = strcspn(name, " ");

	if (argc < 1 || strlen(argv[0]) != first || strncmp(name, argv[0], first) != 0)
		return 0;
	if (name[first] == '\0')
		return 1;
	return argc > 1 && strcmp(name + first + 1, argv[1]) == 0 ? 2 : 0;
}

const struct command *command_find(const struct command_table *table, int argc, char **argv,
				   int *ret_words)
{
	for (size_t i = 0; i < table->count; i++) {
		*ret_words = match_name(table->commands[i].name, argc, argv);
		if (*ret_words > 0)
			return &table->commands[i];
	}
	return NULL;
}

static int wrong_usage(const struct command_table *table, const struct command *command,
		       struct err *e)
{
	return err_set(e, ERR_INVALID, "USAGE", "usage: %s%s%s (see %s --help)", command->name,
		       command->arguments[0] != '\0' ? " " : "", command->arguments,
		       table->program);
}

static void list_options(const struct command_table *table, const struct command *command,
			 struct option *ret_options)
{
	for (unsigned o = 0; o < table->option_count; o++) {
		if (command_takes(command, o))
			*ret_options++ = (struct option) {
				.name = table->options[o].name,
				.has_arg = table->options[o].argument ? required_argument
								      : no_argument,
				.val = (int)o,
			};
	}
}

int command_parse(const struct command_table *table, const struct command *command, int argc,
		  char **argv, const char **ret_options, int *ret_first, struct err *e)
{
	struct option longs[COMMAND_OPTIONS_MAX + 1] = { 0 };
	const char *order = (command->options & COMMAND_VERBATIM) != 0 ? "+" : "";
	int found;

	list_options(table, command, longs);
	optind = 0; /* GNU: makes getopt_long() start over */
	while ((found = getopt_long(argc, argv, order, longs, NULL)) != -1) {
		if (found == '?')
			return wrong_usage(table, command, e);
		ret_options[found] = optarg ? optarg : "";
	}
	*ret_first = optind;
	if (argc - optind < command->arguments_min || argc - optind > command->arguments_max)
		return wrong_usage(table, command, e);
	return 0;
}
