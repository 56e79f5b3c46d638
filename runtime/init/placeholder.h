#ifndef SANDBOX_PLACEHOLDER_H
#define SANDBOX_PLACEHOLDER_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Answers every HTTP request at a port with one page, as long as nobody else wants the port.
 * All of it is non-blocking; a visitor who is slow is hung up on.
 */
struct placeholder;

enum { PLACEHOLDER_VISITORS = 16, PLACEHOLDER_POLLS = PLACEHOLDER_VISITORS + 1 };

/* `page` is borrowed for ever. Does not listen yet. */
struct placeholder *placeholder_new(uint16_t port, const char *page, size_t length);

/* Gives the port up at once, and for some seconds: for somebody who is about to bind it. */
void placeholder_yield(struct placeholder *p);

/* Fills in what to poll for, at most PLACEHOLDER_POLLS entries; returns how many. */
size_t placeholder_polls(const struct placeholder *p, struct pollfd *polls);

/* After a poll, with the entries of placeholder_polls(), and at least each second: serves, and
 * listens again once the port is free. */
void placeholder_run(struct placeholder *p, const struct pollfd *polls, size_t count);

#endif
