#include "auth.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/mem.h"
#include "providers.h"
#include "web/program.h"

/* Hashing a password uses a processor for tens of milliseconds, on purpose. Requests to api.fcgi by
 * users who are logged in have priority. */
enum { NICENESS = 5 };

static int open_auth(const struct conf *conf, void **ret_context, struct err *e)
{
	struct auth *auth = mem_calloc(1, sizeof(*auth));
	const char *registration = conf_string(conf, CONF_REGISTRATION);

	(void)setpriority(PRIO_PROCESS, 0, NICENESS);
	auth->password.passes = conf_number(conf, CONF_PASSWORD_PASSES);
	auth->password.memory_bytes = (size_t)conf_number(conf, CONF_PASSWORD_MEMORY_KIB) * 1024;
	auth->registers_at_login = strcmp(registration, "at_login") == 0;
	auth->registration_open = strcmp(registration, "closed") != 0;
	auth->session_lifetime_ms = conf_number(conf, CONF_SESSION_LIFETIME);
	*ret_context = auth;
	return providers_open(conf, &auth->providers, e);
}

static void close_auth(void *context)
{
	struct auth *auth = context;

	if (auth != NULL)
		providers_close(auth->providers);
	free(auth);
}

int main(int argc, char **argv)
{
	static const struct program program = {
		.name = "auth.fcgi",
		.role = "fsa_auth",
		.routes = auth_routes,
		.open = open_auth,
		.close = close_auth,
	};

	return program_main(&program, argc, argv);
}
