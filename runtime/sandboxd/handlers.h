#ifndef SANDBOXD_HANDLERS_H
#define SANDBOXD_HANDLERS_H

#include <jansson.h>

#include "sandboxd/conn.h"

/* The handlers in the route table. */

#define HANDLER(name) int name(struct conn *c, json_t *body, struct err *e)
#define BEGIN(name)   int name(struct conn *c, struct err *e)

HANDLER(health_read);

HANDLER(terminal_page);
HANDLER(terminal_socket);
HANDLER(terminal_token);
BEGIN(terminal_begin);

HANDLER(processes_list);
HANDLER(processes_start);
HANDLER(processes_read);
HANDLER(processes_remove);
HANDLER(processes_signal);
HANDLER(processes_resize);
HANDLER(processes_write);
HANDLER(processes_stdout);
HANDLER(processes_stderr);
HANDLER(attach_open);
HANDLER(logs_read);
/* The path of the log of the sandbox's start. */
void logs_init(const char *run);

HANDLER(files_read);
HANDLER(files_stat);
HANDLER(files_list);
HANDLER(files_remove);
HANDLER(files_directory);
HANDLER(files_move);
HANDLER(files_watch);
BEGIN(files_write_begin);
HANDLER(files_write);
HANDLER(files_pack);
BEGIN(files_unpack_begin);
HANDLER(files_unpack);
/* Removes what a sandbox that ended at once has left of archives. */
void unpack_init(void);

HANDLER(uploads_create);
HANDLER(uploads_read);
BEGIN(uploads_append_begin);
HANDLER(uploads_append);
HANDLER(uploads_remove);

HANDLER(ports_list);
HANDLER(ports_open);
HANDLER(usage_read);
HANDLER(import_read);
HANDLER(app_read);
HANDLER(app_start);
HANDLER(app_stop);
HANDLER(app_restart);
HANDLER(activity_read);

#endif
