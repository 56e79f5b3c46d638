#ifndef FSA_DB_HOSTS_H
#define FSA_DB_HOSTS_H

#include <stddef.h>

#include <libpq-fe.h>

/*
 * The hosts of a connection string that names several ("host=a,b"), a server and its standbys.
 * libpq would try them in one attempt, but an attempt that does not block has no time limit for
 * each: a host that does not respond would take all the time, and the next would never be tried. So
 * each host is a separate attempt, beginning with the one that last worked.
 *
 * A string that names one host, none, or addresses (hostaddr), or that cannot be parsed, is left to
 * libpq: `count` is 1, name and port are NULL.
 */
struct db_hosts {
	size_t count, at;
	char *hosts, *ports; /* lists with commas */
};

void db_hosts_parse(const char *conninfo, struct db_hosts *ret_hosts);
void db_hosts_clear(struct db_hosts *hosts);

/* Of the next host to try; NULL: as the connection string says. The caller frees. */
char *db_hosts_name(const struct db_hosts *hosts);
char *db_hosts_port(const struct db_hosts *hosts);

void db_hosts_next(struct db_hosts *hosts);

#endif
