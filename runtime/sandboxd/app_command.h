#ifndef SANDBOXD_APP_COMMAND_H
#define SANDBOXD_APP_COMMAND_H

#include <stdbool.h>

#include <jansson.h>

/* How the app is started: the first of
 *     the variable FSA_APP_COMMAND
 *     the line "web:" of Procfile
 *     the script "start" of package.json
 * The files are those of the imported repository, or of the home directory if there is none; the
 * command runs there. */
struct app_command {
	char *line, *folder;
	const char *source;
};

/* False: there is none; `ret` is released all the same. */
bool app_command_find(struct app_command *ret);
/* The request for its process (start_parse). */
json_t *app_command_request(const struct app_command *command);
void app_command_release(struct app_command *command); /* for CLEANUP, too */

#endif
