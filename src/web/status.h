#ifndef FSA_WEB_STATUS_H
#define FSA_WEB_STATUS_H

/*
 * The line "Status:" of `systemctl status`: the number of workers and of requests that they have
 * served, and the last error that any of them logged. It is in memory that a master shares with its
 * workers.
 */
struct status;

/* NULL if there is no memory for it: then nothing is reported. The last error is kept there from
 * now on. It is unmapped at the end of the process. */
struct status *status_new(void);
void status_count_request(struct status *s);
/* Reports to the service manager, if anything has changed. `trouble` goes first; NULL: none. */
void status_report(struct status *s, unsigned workers, const char *trouble);

#endif
