#ifndef SANDBOXD_TERMINAL_H
#define SANDBOXD_TERMINAL_H

#include <stddef.h>

/* ttyd, which listens on a unix socket and has no password: requests for its page and its WebSocket
 * are passed on to it if they have the terminal's token. */
void terminal_init(const char *socket_path);
/* How many terminals are open. */
size_t terminal_count(void);

#endif
