#ifndef FSA_WEB_WORKER_H
#define FSA_WEB_WORKER_H

#include <stdint.h>

#include "base/err.h"
#include "web/server.h"

/* Serves requests that arrive on a listening socket, one after the other, until SIGTERM or
 * `requests` of them. -1: it could not begin. */
int worker_run(int listen_fd, uint64_t requests, const struct server_app *app, struct err *e);

/* One request of plain CGI: environment, standard input and output. */
int worker_run_cgi(const struct server_app *app, struct err *e);

#endif
