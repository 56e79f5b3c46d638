#include "command/help.h"

#include <string.h>

static void print_option(const struct command_option_spec *o, FILE *to)
{
	(void)fprintf(to, " [--%s%s%s]", o->name, o->argument ? " " : "",
		      o->argument ? o->argument : "");
}

/* Prints "user show USER [--limit N]" and what it does. */
static void print_command(const struct command_table *table, const struct command *c, FILE *to)
{
	(void)fprintf(to, "  %s%s%s", c->name, c->arguments[0] != '\0' ? " " : "", c->arguments);
	for (unsigned o = COMMAND_OPTION_JSON + 1; o < table->option_count; o++) {
		if (command_takes(c, o))
			print_option(&table->options[o], to);
	}
	(void)fprintf(to, "\n        %s\n", c->help);
}

/* Prints the options of one command, or with NULL of all. */
static void print_options(const struct command_table *table, const struct command *command,
			  FILE *to)
{
	for (unsigned o = 0; o < table->option_count; o++) {
		const struct command_option_spec *spec = &table->options[o];
		if (command == NULL || command_takes(command, o))
			(void)fprintf(to, "  --%-12s %s\n", spec->name, spec->help);
	}
}

void help_print_all(const struct command_table *table, FILE *to)
{
	(void)fprintf(to, "Usage: %s [--%s %s] COMMAND [ARGUMENTS] [--json]\n\nCommands:\n",
		      table->program, table->global.name, table->global.argument);
	for (size_t i = 0; i < table->count; i++)
		print_command(table, &table->commands[i], to);
	(void)fputs("\nOptions of commands:\n", to);
	print_options(table, NULL, to);
	(void)fprintf(to, "\nOptions:\n  --%s %s  %s\n  --help, --version, --commands\n",
		      table->global.name, table->global.argument, table->global.help);
}

void help_print_table(const struct command_table *table)
{
	for (size_t i = 0; i < table->count; i++) {
		const char *separator = "\t";
		(void)fputs(table->commands[i].name, stdout);
		for (unsigned o = 0; o < table->option_count; o++) {
			const struct command_option_spec *spec = &table->options[o];
			if (!command_takes(&table->commands[i], o))
				continue;
			(void)printf("%s--%s%s", separator, spec->name, spec->argument ? "=" : "");
			separator = " ";
		}
		(void)printf("\t%s\n", table->commands[i].arguments);
	}
}

/* ---- help on one command or family ----------------------------------------------------------- */

bool help_is_asked(int argc, char **argv)
{
	for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (strcmp(argv[i], "--help") == 0)
			return true;
	}
	return false;
}

/* Returns the command's second word if its first is `family`, else NULL. */
static const char *word_in_family(const struct command *command, const char *family)
{
	size_t length = strlen(family);

	if (strncmp(command->name, family, length) != 0 || command->name[length] != ' ')
		return NULL;
	return command->name + length + 1;
}

static bool is_family(const struct command_table *table, const char *word)
{
	for (size_t i = 0; i < table->count; i++) {
		if (word_in_family(&table->commands[i], word) != NULL)
			return true;
	}
	return false;
}

bool help_print_about(const struct command_table *table, const struct command *command, int argc,
		      char **argv)
{
	if (command == NULL && (argc < 1 || !is_family(table, argv[0])))
		return false;
	(void)printf("Usage, after %s [--%s %s]:\n", table->program, table->global.name,
		     table->global.argument);
	for (size_t i = 0; i < table->count; i++) {
		if (command ? command == &table->commands[i]
			    : word_in_family(&table->commands[i], argv[0]) != NULL)
			print_command(table, &table->commands[i], stdout);
	}
	if (command != NULL) {
		(void)puts("\nOptions:");
		print_options(table, command, stdout);
	}
	return true;
}

/* ---- unknown commands ------------------------------------------------------------------------ */

static void list_family(const struct command_table *table, const char *family)
{
	const char *separator = " ";

	for (size_t i = 0; i < table->count; i++) {
		const char *word = word_in_family(&table->commands[i], family);
		if (word == NULL)
			continue;
		(void)fprintf(stderr, "%s%s", separator, word);
		separator = ", ";
	}
}

/* Lists the first word of each command, once. */
static void list_first_words(const struct command_table *table)
{
	for (size_t i = 0; i < table->count; i++) {
		size_t length = strcspn(table->commands[i].name, " ");
		if (i == 0)
			(void)fputs(" ", stderr);
		else if (strncmp(table->commands[i - 1].name, table->commands[i].name, length) ==
				 0 &&
			 strchr(" ", table->commands[i - 1].name[length]) != NULL)
			continue;
		else
			(void)fputs(", ", stderr);
		(void)fprintf(stderr, "%.*s", (int)length, table->commands[i].name);
	}
}

void help_say_unknown(const struct command_table *table, int argc, char **argv)
{
	if (argc < 1) {
		help_print_all(table, stderr);
		return;
	}
	if (!is_family(table, argv[0])) {
		(void)fprintf(stderr, "%s: \"%s\" is no command; there are", table->program,
			      argv[0]);
		list_first_words(table);
	} else if (argc < 2) {
		(void)fprintf(stderr, "%s: %s is followed by one of", table->program, argv[0]);
		list_family(table, argv[0]);
	} else {
		(void)fprintf(stderr, "%s: \"%s %s\" is no command; %s is followed by one of",
			      table->program, argv[0], argv[1], argv[0]);
		list_family(table, argv[0]);
	}
	(void)fprintf(stderr, " (see %s --help)\n", table->program);
}
