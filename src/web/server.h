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
 * - A worker ends after `requests` requests and is replaced, which frees anything it has leaked.
 * - SIGTERM or SIGINT: each worker ends after its present request; one that has not ended after
 *   SERVER_PATIENCE_S seconds is killed. If the master dies, its workers end likewise.
 * - SIGHUP: `reload` is called. If it returns something new to serve with, each worker ends after
 *   its present request, and its successor uses that. The socket stays, and requests that arrive in
 *   between wait there.
 * - A worker that crashes is replaced, at once at first, then after growing delays while crashes
 *   continue.
 * - A request that takes longer than SERVER_REQUEST_S seconds ends its worker: by then every time
 *   limit inside it has passed, and nginx has responded long before.
 * - On a TCP socket, a connection is closed if the peer sends nothing, or accepts nothing, for
 *   SERVER_PEER_S seconds. (A peer that ends closes its unix socket; a host that is cut off does
 *   not close a TCP connection.)
 * - The master reports to systemd that it is alive (base/notify.h), and its status (web/status.h).
 * - Every connection is closed after its request, even if the web server wants to keep it: with
 *   fastcgi_keep_conn, a worker would belong to an idle connection of nginx until that used it
 *   again, and with fewer workers than kept connections the site would hang.
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
