#ifndef FSA_BASE_NOTIFY_H
#define FSA_BASE_NOTIFY_H

/*
 * What a service tells systemd (sd_notify(3); the unit needs NotifyAccess=main). Without systemd,
 * or when it does not take the message, nothing happens.
 */

/* A line for `systemctl status`, shown as "Status:" until the service starts again. */
void notify_status(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Still alive: to be said more often than WatchdogSec=, after which systemd starts it anew. */
void notify_alive(void);

#endif
