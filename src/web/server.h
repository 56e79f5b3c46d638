#ifndef FSA_WEB_SERVER_H
#define FSA_WEB_SERVER_H

#include <stdint.h>

#include "base/err.h"
#include "web/io.h"

/*
 * The process model of a FastCGI program (FastCGI specification 1.0, on libfcgi): a master that
 * only forks and waits, and workers that serve one request at a time on one listening socket.
 *
 * - The socket is descriptor 0 (systemd, StandardInput=socket), or is made at `socket_path`, mode
 *   0660; a file that a dead program left there is replaced, a live one's is not; it goes at the
 *   end. With neither a socket nor a path the program is plain CGI: one request from environment
 *   and standard input, no workers.
 * - A worker ends after `requests` requests and is replaced: whatever it may have leaked goes.
 * - SIGTERM or SIGINT: each worker ends after the request it is in; who has not after
 *   SERVER_PATIENCE_S seconds is killed. If the master dies, its workers end likewise.
 * - SIGHUP: `reload` is asked whether there is something new to serve by. Then each worker ends
 * after the request it is in, and its successor is of the new kind; the socket stays, and who comes
 * in between waits there.
 * - A worker that crashes is replaced, at once at first, then ever more slowly while crashes go on.
 * - A request that takes longer than SERVER_REQUEST_S seconds ends its worker: whatever it hangs in
 *   has outlived every time limit of its own, and nginx has answered long before.
 * - The socket may be a TCP one: then who sends nothing, or takes nothing, for SERVER_PEER_S
 * seconds is left. (Who goes away tells so on a unix socket; a host that is cut off does not.)
 * - The master tells systemd that it is alive (base/notify.h), and how things are (web/status.h).
 * - Every connection is closed after its request, whatever the web server would like: with
 *   fastcgi_keep_conn, a worker would belong to an idle connection of nginx until that used it
 *   again, and fewer workers than kept connections are a site that hangs.
 */
enum { SERVER_PATIENCE_S = 10, SERVER_REQUEST_S = 60, SERVER_PEER_S = 15 };

struct server_options {
	const char *socket_path; /* NULL: descriptor 0, or CGI */
	unsigned workers;
	uint64_t requests;
};

struct status;

struct server_app {
	/* In the master, at SIGHUP. -1: nothing changes, and the error is logged. NULL: there is
	 * nothing to reload. */
	int (*reload)(void *user, struct err *e);
	/* In each worker, before its first request: connections are never shared over fork(). */
	int (*open)(void *user, struct err *e);
	void (*serve)(void *user, const struct web_io *io);
	void (*close)(void *user);
	void *user;
	struct status *status; /* NULL: nothing is counted */
};

/* Returns in the master when all has ended, and in each worker when that has: the caller frees and
 * exits in either case. ERR_INVALID: no socket and no CGI request, or the socket cannot be made;
 * in a worker: what `open` says. */
int server_run(const struct server_options *options, const struct server_app *app, struct err *e);

#endif
