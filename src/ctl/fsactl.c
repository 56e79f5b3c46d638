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
#include "command/options.h"
#include "crypto/token.h"
#include "ctl/command.h"

static int fail(const struct err *e)
{
	(void)fprintf(stderr, "fsactl: %s\n", e->message);
	if (strcmp(e->code, "CONFIGURATION") == 0)
		return EX_CONFIG;
	if (strcmp(e->code, "DATABASE_AWAY") == 0)
		return EX_TEMPFAIL;
	return strcmp(e->code, "USAGE") == 0 ? COMMAND_EXIT_USAGE : EXIT_FAILURE;
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
	if (!options_read(&fsactl_commands, argc, argv, &config, &status))
		return status;
	argc -= optind;
	argv += optind;
	const struct command *command = command_find(&fsactl_commands, argc, argv, &words);
	if (help_is_asked(argc, argv) && help_print_about(&fsactl_commands, command, argc, argv))
		return EXIT_SUCCESS;
	if (command == NULL) {
		help_say_unknown(&fsactl_commands, argc, argv);
		return COMMAND_EXIT_USAGE;
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
