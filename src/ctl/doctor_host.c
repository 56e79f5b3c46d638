/* Checks of this host: settings, sockets. */
#include <errno.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/cleanup.h"
#include "base/lockfile.h"
#include "base/mem.h"
#include "ctl/doctor.h"
#include "reconcile/desired.h"

/* ---- settings -------------------------------------------------------------------------------- */

static void check_operator_environment(struct doctor *d)
{
	const char *file = conf_string(d->call->conf, CONF_OPERATOR_ENV_FILE);
	struct stat status;

	if (file == NULL || stat(file, &status) < 0 || (status.st_mode & S_IRWXO) == 0)
		return;
	doctor_say(d, HEALTH_WARNING, "operator_env_file", "chmod o-rwx it: it may hold secrets",
		   "everybody on this host may read %s", file);
}

/* Reports a choice of the operator's that they should be aware of. */
static void report_registration(struct doctor *d)
{
	const struct conf *conf = d->call->conf;
	const struct {
		enum conf_option option;
		const char *name;
	} providers[] = {
		{ CONF_SEALOS_JWT_SECRET_FILE, "Sealos" },
		{ CONF_GITHUB_CLIENT_ID, "GitHub" },
		{ CONF_OIDC_CLIENT_ID, conf_string(conf, CONF_OIDC_NAME) },
	};
	const char *registration = conf_string(conf, CONF_PROVIDER_REGISTRATION);
	bool open = strcmp(registration, "open") == 0;

	for (size_t i = 0; i < ARRAY_SIZE(providers); i++) {
		if (conf_string(conf, providers[i].option) != NULL)
			doctor_say(d, HEALTH_OK, providers[i].name, NULL,
				   "%s (provider_registration = %s)",
				   open ? "whoever has an account there may become a user"
					: "lets in whoever is known here already",
				   registration);
	}
	if (strcmp(conf_string(conf, CONF_REGISTRATION), "closed") != 0)
		doctor_say(d, HEALTH_OK, "passwords", NULL,
			   "whoever comes may become a user (registration = %s)",
			   conf_string(conf, CONF_REGISTRATION));
}

/* Reports what fsactl config check does. A running service continues with the configuration that it
 * has read. */
static bool report_problems(struct doctor *d)
{
	const char *path = d->call->config_path;

	for (size_t i = 0; i < d->problems->count; i++) {
		const struct conf_problem *p = &d->problems->list[i];
		CLEANUP(cleanup_free)
		char *place = p->line > 0 ? mem_printf("%s:%u", path, p->line) : mem_strdup(path);
		doctor_say(
			d, p->warning ? HEALTH_WARNING : HEALTH_FAILED, place,
			"correct it, see that fsactl config check finds nothing more, then "
			"systemctl restart fsa-api fsa-auth fsa-events: no service starts with it",
			"%s", p->message);
	}
	return d->problems->errors > 0;
}

/* Reads everything that fsa-reconcile does at its start. */
void doctor_settings(struct doctor *d)
{
	struct desired_context context = { 0 };
	struct err e;

	if (report_problems(d))
		return;
	if (desired_context_load(d->call->conf, &context, &e) < 0)
		doctor_say_error(d, HEALTH_FAILED, "fsa.conf", "see fsa.conf(5)", &e);
	else
		doctor_say(d, HEALTH_OK, "fsa.conf", NULL, "sandboxes get <12 letters>.%s",
			   context.settings.ingress_domain);
	desired_context_clear(&context);
	check_operator_environment(d);
	report_registration(d);
}

/* ---- sockets --------------------------------------------------------------------------------- */

static int try_socket(const char *path)
{
	CLEANUP(cleanup_close) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (fd < 0 || strlen(path) >= sizeof(address.sun_path)) {
		errno = fd < 0 ? errno : ENAMETOOLONG;
		return -1;
	}
	memcpy(address.sun_path, path, strlen(path) + 1);
	return connect(fd, (struct sockaddr *)&address, sizeof(address));
}

/* Without live updates a site works, but shows changes late. */
static void check_live_updates(struct doctor *d)
{
	if (lockfile_is_held(conf_string(d->call->conf, CONF_EVENTS_STATE_FILE)))
		doctor_say(d, HEALTH_OK, "live updates", NULL, "flow to open pages");
	else
		doctor_say(d, HEALTH_WARNING, "live updates",
			   "systemctl status fsa-events, and see fsa-events(8): nginx needs the "
			   "module nchan",
			   "do not flow: open pages show changes late");
}

/* The sockets are in the folder of the wake file. */
void doctor_sockets(struct doctor *d)
{
	static const struct {
		const char *name, *advice;
	} sockets[] = {
		{ "api.sock", "systemctl status fsa-api.socket fsa-api.service" },
		{ "auth.sock", "systemctl status fsa-auth.socket fsa-auth.service" },
	};
	CLEANUP(cleanup_free)
	char *wake_file = mem_strdup(conf_string(d->call->conf, CONF_WAKE_FILE));
	const char *directory = dirname(wake_file);

	for (size_t i = 0; i < ARRAY_SIZE(sockets); i++) {
		CLEANUP(cleanup_free) char *path = mem_printf("%s/%s", directory, sockets[i].name);
		if (try_socket(path) < 0)
			doctor_say(d, HEALTH_FAILED, path, sockets[i].advice, "%s",
				   strerror(errno));
		else
			doctor_say(d, HEALTH_OK, path, NULL, "somebody listens");
	}
	check_live_updates(d);
}
