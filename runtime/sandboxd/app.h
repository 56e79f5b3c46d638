#ifndef SANDBOXD_APP_H
#define SANDBOXD_APP_H

#include <stdbool.h>

/*
 * The app: the one command of the sandbox that is kept running (app_command.h). It is the process
 * "app". When it ends by itself, it is started again, after a time that doubles up to a minute;
 * one that ran for a minute counts as well again.
 */

/* loop_init() first. `start`: it begins now, or as soon as the repository's import has ended. */
void app_init(bool start);

#endif
