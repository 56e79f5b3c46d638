#ifndef SANDBOXD_TERMINAL_H
#define SANDBOXD_TERMINAL_H

#include <stddef.h>

/* ttyd, which listens on a unix socket and knows no password: its page and its WebSocket are handed
 * on to whoever has the terminal's token. */
void terminal_init(const char *socket_path);
/* How many terminals are open. */
size_t terminal_count(void);

#endif
