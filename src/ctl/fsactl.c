/* fsactl(8): administration. See command.h for its table of commands. */
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

static void print_option(const struct command_option_spec *o, FILE *to)
{
	(void)fprintf(to, " [--%s%s%s]", o->name, o->argument ? " " : "",
		      o->argument ? o->argument : "");
}

static void print_usage(FILE *to)
{
	(void)fputs("Usage: fsactl [--config FILE] COMMAND [ARGUMENTS] [--json]\n\nCommands:\n",
		    to);
	for (size_t i = 0; i < command_count; i++) {
		const struct command *c = &commands[i];
		(void)fprintf(to, "  %s%s%s", c->name, c->arguments[0] != '\0' ? " " : "",
			      c->arguments);
		for (unsigned o = OPTION_JSON + 1; o < OPTION_COUNT; o++) {
			if (command_takes(c, (enum command_option)o))
				print_option(command_option_spec((enum command_option)o), to);
		}
		(void)fprintf(to, "\n        %s\n", c->help);
	}
	(void)fputs("\nOptions of commands:\n", to);
	for (unsigned o = 0; o < OPTION_COUNT; o++) {
		const struct command_option_spec *spec =
			command_option_spec((enum command_option)o);
		(void)fprintf(to, "  --%-12s %s\n", spec->name, spec->help);
	}
	(void)fputs("\nOptions:\n"
		    "  --config FILE  instead of " DEFAULT_CONFIG "\n"
		    "  --help, --version, --commands\n",
		    to);
}

/* For bash's completion and for tests: a line a command, fields separated by tabs: its name, its
 * options (those with an argument end in '='), its arguments. */
static void print_commands(void)
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
			print_usage(stdout);
			return false;
		case 'v':
			(void)puts("fsactl (" PACKAGE_NAME ") " PACKAGE_VERSION);
			return false;
		case 'l':
			print_commands();
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
	struct call call = { 0 };
	const char *config = DEFAULT_CONFIG;
	struct err e;
	int status, words;

	mem_init_libraries();
	crypto_init();
	if (!read_options(argc, argv, &config, &status))
		return status;
	argc -= optind;
	argv += optind;
	const struct command *command = command_find(argc, argv, &words);
	if (command == NULL) {
		print_usage(stderr);
		return EXIT_USAGE;
	}
	argc -= words - 1;
	argv += words - 1;
	if (command_parse(command, argc, argv, &call, &e) < 0 || conf_load(config, &conf, &e) < 0)
		return fail(&e);
	call.conf = conf;
	status = command->run(&call, &e);
	return status < 0 ? fail(&e) : status;
}
