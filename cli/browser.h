#ifndef FSA_CLI_BROWSER_H
#define FSA_CLI_BROWSER_H

#include "base/err.h"

/* Opens an address in the person's browser ($BROWSER, or xdg-open). The address is among the
 * browser's arguments, so it must contain no secret. ERR_INVALID: not http(s); ERR_UNPROCESSABLE:
 * there is no browser; the message has the address to open by hand. */
int browser_open(const char *url, struct err *e);

/* The same while the person is asked for input: does not wait for the browser, as some end only
 * when they are closed, and does not require one. */
void browser_show(const char *url);

#endif
