#ifndef FSA_BASE_NOTIFY_H
#define FSA_BASE_NOTIFY_H

/*
 * Messages of a service to systemd (sd_notify(3); the unit needs NotifyAccess=main). Without
 * systemd, or when it does not accept the message, nothing happens.
 */

/* A line for `systemctl status`, shown as "Status:" until the service starts again. */
void notify_status(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Reports that the service is alive. Call it more often than WatchdogSec=, after which systemd
 * restarts the service. */
void notify_alive(void);

#endif
