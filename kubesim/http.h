#ifndef KUBESIM_HTTP_H
#define KUBESIM_HTTP_H

#include <stdint.h>

#include "base/err.h"
#include "sim.h"

/*
 * The API server's port: HTTP/1.1 over TLS 1.2 and 1.3 by libmicrohttpd, driven by the caller's
 * loop. Bearer tokens; client certificates of one authority. The faults of faults.h that are about
 * the connection are made here.
 */
struct http;

struct http_options {
	const char *address;           /* an IPv4 address */
	uint16_t port;                 /* 0: a free one */
	const char *certificate, *key; /* PEM, of the server */
	const char *authority;         /* PEM, of the clients' certificates */
};

/* The texts must outlive the server. */
struct http *http_new(struct sim *sim, const struct http_options *options);
/* The timers of `sim` must not run any more. */
void http_free(struct http *h);

/* Listens. ERR_UNAVAILABLE: it cannot. The port stays the same from one start to the next. */
int http_start(struct http *h, struct err *e);
/* Refuses connections and ends those that are there. */
void http_stop(struct http *h);
uint16_t http_port(const struct http *h);

/* For the loop: -1 while stopped; milliseconds until it must run, -1: when readable only. */
int http_epoll_fd(const struct http *h);
int http_wait_ms(const struct http *h);
void http_run(struct http *h);

#endif
