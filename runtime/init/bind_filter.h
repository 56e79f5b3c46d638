#ifndef SANDBOX_BIND_FILTER_H
#define SANDBOX_BIND_FILTER_H

#include <stdint.h>

/*
 * Tells a supervisor of each bind(2) that a process or a descendant of it is about to do, before it
 * is done (seccomp user notification, Linux 5.5). Nothing is ever refused.
 */

/* In a child, before exec: from now on its binds wait for the supervisor, which gets the returned
 * descriptor. -1 with errno when the kernel or the container's own filter does not allow it. */
int bind_filter_install(void);

/* Calls `binds` with the port of a bind to an address of the internet's families that waits at
 * `fd`, then lets it go on. Whatever happens in between, nobody waits for ever: to be called as
 * often as `fd` is readable. */
void bind_filter_serve(int fd, void (*binds)(uint16_t port, void *context), void *context);

#endif
