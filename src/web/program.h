#ifndef FSA_WEB_PROGRAM_H
#define FSA_WEB_PROGRAM_H

#include <stdbool.h>

#include "base/conf.h"
#include "base/err.h"
#include "web/route.h"

/*
 * What all our FastCGI programs do alike: options, configuration, log, database connection, route
 * table, server. A program is a row of this struct and its handlers.
 *
 *     --config FILE   fsa.conf; default: $FSA_CONFIG, then the one in sysconfdir
 *     --socket PATH   listen there instead of on descriptor 0
 *     --workers N     default: three times the processors, at least 6
 *     --requests N    a worker is replaced after about so many; default 10000
 *     --check         read the configuration as a start does, and end: 0, or 78 when it is wrong
 *     --routes        print the route table as JSON lines and end
 *     --version, --help
 *
 * As plain CGI it takes no options: there, the arguments are words of the URL's query (RFC 3875,
 * section 4.4).
 */
struct program {
	const char *name;
	const char *role; /* in the database */
	const struct route *routes;
	/* Whether programs may act for people here. Where credentials are managed, they may not. */
	bool takes_api_tokens;
	/* In each worker, before its first request: what the handlers need beside the database,
	 * for struct call. `conf` outlives it. It is also tried, and closed again, before anything
	 * starts or is reloaded. */
	int (*open)(const struct conf *conf, void **ret_context, struct err *e);
	void (*close)(void *context);
	route_keep_fn *seal, *unseal; /* see router.h */
};

/* For main to return. */
int program_main(const struct program *program, int argc, char **argv);

#endif
