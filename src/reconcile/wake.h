#ifndef FSA_RECONCILE_WAKE_H
#define FSA_RECONCILE_WAKE_H

#include <stdbool.h>

#include "base/err.h"

/*
 * What ends a wait: a touch of the wake file (a change was committed), SIGTERM or SIGINT. One
 * descriptor for all of it, to be polled beside the sockets.
 */
struct wake;

/* Blocks SIGTERM and SIGINT for the process, which then arrive here only. If the
 * wake file cannot be watched (its directory must be there and readable, the file need not),
 * signals still work, and with `*ret_watched` false `ret_warning` says why. */
int wake_new(const char *path, struct wake **ret_wake, bool *ret_watched, struct err *ret_warning,
	     struct err *e);
void wake_free(struct wake *wake);

int wake_fd(const struct wake *wake);
/* Reads what has come. `touched`: the wake file was; false if nothing new. */
bool wake_drain(struct wake *wake);
/* Whether a signal to stop has ever come. */
bool wake_stopping(const struct wake *wake);

#endif
