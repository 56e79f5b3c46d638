#ifndef FSA_BASE_NOTIFY_H
#define FSA_BASE_NOTIFY_H

/*
 * A line for `systemctl status`, shown as "Status:" until the service starts again (sd_notify(3);
 * the unit needs NotifyAccess=main). Without systemd, or when it does not take the line, nothing
 * happens: the log has it as well.
 */
void notify_status(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
