#include "ctl/help.h"

#include <string.h>

#include "config.h"

static void print_option(enum command_option option, FILE *to)
{
	const struct command_option_spec *o = command_option_spec(option);

	(void)fprintf(to, " [--%s%s%s]", o->name, o->argument ? " " : "",
		      o->argument ? o->argument : "");
}

/* "user show USER [--limit N]" and what it does. */
static void print_command(const struct command *c, FILE *to)
{
	(void)fprintf(to, "  %s%s%s", c->name, c->arguments[0] != '\0' ? " " : "", c->arguments);
	for (unsigned o = OPTION_JSON + 1; o < OPTION_COUNT; o++) {
		if (command_takes(c, (enum command_option)o))
			print_option((enum command_option)o, to);
	}
	(void)fprintf(to, "\n        %s\n", c->help);
}

/* Of one command, or with NULL of all. */
static void print_options(const struct command *command, FILE *to)
{
	for (unsigned o = 0; o < OPTION_COUNT; o++) {
		const struct command_option_spec *spec =
			command_option_spec((enum command_option)o);
		if (command == NULL || command_takes(command, (enum command_option)o))
			(void)fprintf(to, "  --%-12s %s\n", spec->name, spec->help);
	}
}

void help_print_all(FILE *to)
{
	(void)fputs("Usage: fsactl [--config FILE] COMMAND [ARGUMENTS] [--json]\n\nCommands:\n",
		    to);
	for (size_t i = 0; i < command_count; i++)
		print_command(&commands[i], to);
	(void)fputs("\nOptions of commands:\n", to);
	print_options(NULL, to);
	(void)fputs("\nOptions:\n"
		    "  --config FILE  instead of " COMMAND_DEFAULT_CONFIG "\n"
		    "  --help, --version, --commands\n",
		    to);
}

void help_print_table(void)
{
	for (size_t i = 0; i < command_count; i++) {
		const char *separator = "\t";
		(void)fputs(commands[i].name, stdout);
		for (unsigned o = 0; o < OPTION_COUNT; o++) {
			const struct command_option_spec *spec =
				command_option_spec((enum command_option)o);
			if (!command_takes(&commands[i], (enum command_option)o))
				continue;
			(void)printf("%s--%s%s", separator, spec->name, spec->argument ? "=" : "");
			separator = " ";
		}
		(void)printf("\t%s\n", commands[i].arguments);
	}
}

/* ---- of one command or family -----------------------------------------------------------------
 */

bool help_is_asked(int argc, char **argv)
{
	for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (strcmp(argv[i], "--help") == 0)
			return true;
	}
	return false;
}

/* The command's own word when it belongs to that family, NULL otherwise. */
static const char *word_in_family(const struct command *command, const char *family)
{
	size_t length = strlen(family);

	if (strncmp(command->name, family, length) != 0 || command->name[length] != ' ')
		return NULL;
	return command->name + length + 1;
}

static bool is_family(const char *word)
{
	for (size_t i = 0; i < command_count; i++) {
		if (word_in_family(&commands[i], word) != NULL)
			return true;
	}
	return false;
}

bool help_print_about(const struct command *command, int argc, char **argv)
{
	if (command == NULL && (argc < 1 || !is_family(argv[0])))
		return false;
	(void)puts("Usage, after fsactl [--config FILE]:");
	for (size_t i = 0; i < command_count; i++) {
		if (command ? command == &commands[i]
			    : word_in_family(&commands[i], argv[0]) != NULL)
			print_command(&commands[i], stdout);
	}
	if (command != NULL) {
		(void)puts("\nOptions:");
		print_options(command, stdout);
	}
	return true;
}

/* ---- what is no command -----------------------------------------------------------------------
 */

static void list_family(const char *family)
{
	const char *separator = " ";

	for (size_t i = 0; i < command_count; i++) {
		const char *word = word_in_family(&commands[i], family);
		if (word == NULL)
			continue;
		(void)fprintf(stderr, "%s%s", separator, word);
		separator = ", ";
	}
}

/* The first word of each command, once. */
static void list_first_words(void)
{
	for (size_t i = 0; i < command_count; i++) {
		size_t length = strcspn(commands[i].name, " ");
		if (i == 0)
			(void)fputs(" ", stderr);
		else if (strncmp(commands[i - 1].name, commands[i].name, length) == 0 &&
			 strchr(" ", commands[i - 1].name[length]) != NULL)
			continue;
		else
			(void)fputs(", ", stderr);
		(void)fprintf(stderr, "%.*s", (int)length, commands[i].name);
	}
}

void help_say_unknown(int argc, char **argv)
{
	if (argc < 1) {
		help_print_all(stderr);
		return;
	}
	if (!is_family(argv[0])) {
		(void)fprintf(stderr, "fsactl: \"%s\" is no command; there are", argv[0]);
		list_first_words();
	} else if (argc < 2) {
		(void)fprintf(stderr, "fsactl: %s is followed by one of", argv[0]);
		list_family(argv[0]);
	} else {
		(void)fprintf(stderr, "fsactl: \"%s %s\" is no command; %s is followed by one of",
			      argv[0], argv[1], argv[0]);
		list_family(argv[0]);
	}
	(void)fputs(" (see fsactl --help)\n", stderr);
}
