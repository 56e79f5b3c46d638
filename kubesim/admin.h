#ifndef KUBESIM_ADMIN_H
#define KUBESIM_ADMIN_H

#include "base/err.h"
#include "http.h"

/*
 * The admin socket: HTTP with JSON on a unix socket that only its owner may open; docs/kubesim.md
 * has the routes. Driven by the caller's loop.
 */
struct admin;

/* ERR_UNAVAILABLE: cannot listen on `path`. A socket that is there is replaced. */
int admin_new(struct sim *sim, struct http *http, const char *path, struct admin **ret_admin,
	      struct err *e);
void admin_free(struct admin *a);
int admin_epoll_fd(const struct admin *a);
int admin_wait_ms(const struct admin *a);
void admin_run(struct admin *a);

#endif
