#ifndef FSA_WEB_IO_H
#define FSA_WEB_IO_H

#include <stddef.h>
#include <sys/types.h>

/*
 * Where a request comes from and where its answer goes: FastCGI's streams, plain CGI's standard
 * input and output, or a test's memory. Nothing above this knows which.
 *
 * Reads and writes block. That is right behind nginx, which takes in the whole body before it
 * calls us and takes our whole answer at once (fastcgi_request_buffering, fastcgi_buffering: both
 * its default), so that a slow browser never holds a worker.
 */
struct web_io {
	void *user;
	char *const *environment; /* "NAME=value", NULL at the end (RFC 3875, section 4.1) */
	/* Up to `length` bytes; 0 at the end, -1 on failure. */
	ssize_t (*read)(void *user, void *buffer, size_t length);
	/* All of it, or -1: nobody is there any more. */
	int (*write)(void *user, const void *data, size_t length);
};

#endif
