/* fsa(1): projects of a site, from a person's own machine. See command.h for its commands. */
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include <curl/curl.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/parse.h"
#include "command.h"
#include "command/help.h"
#include "command/options.h"
#include "command/output.h"

static int exit_status(const struct err *e)
{
	static const struct {
		enum err_kind kind;
		int status;
	} statuses[] = {
		{ ERR_UNAUTHENTICATED, EXIT_NOT_LOGGED_IN },
		{ ERR_NOT_FOUND, EXIT_NOT_FOUND },
		{ ERR_FORBIDDEN, EXIT_NOT_ALLOWED },
		{ ERR_CONFLICT, EXIT_CONFLICT },
		{ ERR_DATA_AT_RISK, EXIT_CONFLICT },
		{ ERR_UNAVAILABLE, EX_TEMPFAIL },
		{ ERR_MAINTENANCE, EX_TEMPFAIL },
		{ ERR_RATE_LIMITED, EX_TEMPFAIL },
	};

	if (strcmp(e->code, "USAGE") == 0)
		return COMMAND_EXIT_USAGE;
	if (strcmp(e->code, "PROJECT_ERROR") == 0)
		return EXIT_PROJECT_ERROR;
	if (strcmp(e->code, "INTERRUPTED") == 0)
		return EXIT_INTERRUPTED;
	for (size_t i = 0; i < ARRAY_SIZE(statuses); i++) {
		if (statuses[i].kind == e->kind)
			return statuses[i].status;
	}
	return EXIT_FAILURE;
}

/* A site's responses may contain anything, so control characters are removed for the terminal. */
static int fail(const struct call *call, const struct err *e)
{
	CLEANUP(cleanup_free) char *message = output_printable(e->message);

	parse_make_utf8(message); /* it may quote words of the command line */
	if (call->options[OPTION_JSON] != NULL) {
		CLEANUP(json_decrefp)
		json_t *error = json_pack("{s:s, s:s}", "error", message, "errorCode", e->code);
		(void)json_dumpf(error, stderr, JSON_COMPACT);
		(void)fputc('\n', stderr);
	} else {
		(void)fprintf(stderr, "fsa: %s\n", message);
	}
	return exit_status(e);
}

static int run(const struct command *command, int argc, char **argv, struct call *call)
{
	struct err e = { 0 };
	int first, status;

	if (command_parse(&fsa_commands, command, argc, argv, call->options, &first, &e) < 0)
		return fail(call, &e);
	call->arguments = argv + first;
	call->argument_count = argc - first;
	status = command->run(call, &e);
	if (status >= 0)
		return status;
	status = fail(call, &e);
	return (command->options & COMMAND_VERBATIM) != 0 && status != COMMAND_EXIT_USAGE
		       ? EXIT_NOT_RUN
		       : status;
}

/* Otherwise a connection could get the number of a closed standard file, and be used as that. */
static void open_standard_files(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	(void)close(fd);
}

int main(int argc, char **argv)
{
	struct call call = { .site = getenv("FSA_SITE") };
	int status, words;

	open_standard_files();
	mem_init_libraries();
	if (!options_read(&fsa_commands, argc, argv, &call.site, &status))
		return status;
	argc -= optind;
	argv += optind;
	const struct command *command = command_find(&fsa_commands, argc, argv, &words);
	if (help_is_asked(argc, argv) && help_print_about(&fsa_commands, command, argc, argv))
		return EXIT_SUCCESS;
	if (command == NULL) {
		help_say_unknown(&fsa_commands, argc, argv);
		return COMMAND_EXIT_USAGE;
	}
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		abort(); /* out of memory */
	status = run(command, argc - words + 1, argv + words - 1, &call);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		perror("fsa: standard output");
		status = EXIT_FAILURE;
	}
	curl_global_cleanup();
	return status;
}
