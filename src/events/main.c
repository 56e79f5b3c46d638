/* fsa-events(8): tells browsers about changes, by the local nginx. */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/command_line.h"
#include "base/conf.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metric.h"
#include "base/notify.h"
#include "events/relay.h"

static const char usage[] =
	"Usage: fsa-events [--config FILE] [--check]\n"
	"\n"
	"Passes on what changes in PostgreSQL to the streams that the local nginx holds.\n"
	"SIGTERM ends it, SIGHUP makes it read its configuration again.\n"
	"\n"
	"  --config FILE      configuration (default: " FSA_SYSCONFDIR "/fsa.conf)\n"
	"  --check            read the configuration, as a start does, and end\n"
	"  --help, --version\n"
	"\n"
	"Exit status: 0 ended by a signal, 64 usage, 71 operating system, 78 configuration.\n";

/* Returns a descriptor that becomes readable when this process is asked to end or to reload its
 * configuration. */
static int catch_signals(struct err *e)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	int fd = sigprocmask(SIG_BLOCK, &set, NULL) < 0 ? -1 : signalfd(-1, &set, SFD_CLOEXEC);
	if (fd < 0)
		return err_set(e, ERR_INTERNAL, NULL, "cannot wait for signals: %s",
			       strerror(errno));
	return fd;
}

static enum { UNKNOWN, FLOWS, STOPPED } announced;

/* Logs changes only: what is away may be so for hours. */
static void announce(bool flows, const struct err *e)
{
	if (flows && announced != FLOWS) {
		log_line(LOG_LEVEL_INFO, "live updates are flowing",
			 LOG_STR("streams", "reopened"));
		notify_status("Live updates flow");
	} else if (!flows) {
		if (announced != STOPPED)
			log_err(LOG_LEVEL_WARNING, "live updates have stopped", e);
		notify_status("No live updates: %s", e->message);
	}
	announced = flows ? FLOWS : STOPPED;
}

static struct db *open_database(const struct conf *conf, bool prepare)
{
	const char *own = conf_string(conf, CONF_EVENTS_DATABASE);

	return db_new(&(struct db_options) {
		.conninfo = own != NULL ? own : conf_string(conf, CONF_DATABASE),
		.role = "fsa_events",
		.application_name = "fsa-events",
		.prepare = prepare,
		.timeout_ms = conf_number(conf, CONF_DATABASE_TIMEOUT),
	});
}

/* Runs with the present configuration until a signal comes; returns its number. */
static int run_relay(struct relay *relay, int signals)
{
	struct pollfd fds[] = { { .fd = signals, .events = POLLIN }, { .events = POLLIN } };
	struct signalfd_siginfo got = { 0 };
	struct err e;

	do {
		bool flows = relay_step(relay, &e) == 0;
		announce(flows, &e);
		fds[1].fd = flows ? relay_fd(relay) : -1; /* poll() ignores -1 */
		(void)poll(fds, ARRAY_SIZE(fds),
			   flows ? relay_wait_ms(relay) : relay_pause_ms(relay));
	} while ((fds[0].revents & POLLIN) == 0);
	return read(signals, &got, sizeof(got)) == sizeof(got) ? (int)got.ssi_signo : SIGTERM;
}

/* Reads the configuration; returns NULL, changing nothing, if it is invalid. */
static struct conf *read_again(const char *path, const struct conf *before)
{
	struct conf *fresh = NULL;
	struct err e;

	if (conf_load_logged(path, &fresh, &e) < 0) {
		log_err(LOG_LEVEL_ERROR, "reload failed, keeping the previous configuration", &e);
		notify_status("not reloaded, running as before: %s", e.message);
		return NULL;
	}
	const char *late = conf_needs_restart(before, fresh);
	if (late != NULL)
		log_line(LOG_LEVEL_WARNING, "takes effect after a restart",
			 LOG_STR("option", late));
	log_set_level_name(conf_string(fresh, CONF_LOG_LEVEL));
	log_line(LOG_LEVEL_INFO, "reloaded", LOG_STR("file", path));
	announced = UNKNOWN;
	return fresh;
}

/* Returns the configuration to continue with, or NULL to end. */
static struct conf *run(const struct conf *conf, const char *path, int signals)
{
	struct relay_options options = {
		.listener = open_database(conf, false),
		.db = open_database(conf, true),
		.nginx = nginx_new(conf_string(conf, CONF_EVENTS_SOCKET)),
		.state_file = conf_string(conf, CONF_EVENTS_STATE_FILE),
	};
	struct relay *relay = relay_new(&options);
	struct conf *next = NULL;

	while (next == NULL && run_relay(relay, signals) == SIGHUP)
		next = read_again(path, conf);
	relay_free(relay);
	nginx_free(options.nginx);
	db_free(options.db);
	db_free(options.listener);
	return next;
}

int main(int argc, char **argv)
{
	CLEANUP(conf_freep) struct conf *conf = NULL;
	CLEANUP(cleanup_close) int signals = -1;
	const char *config = FSA_SYSCONFDIR "/fsa.conf";
	bool only_check = false;
	const struct command_line_option options[] = {
		{ "config", .ret_argument = &config },
		{ "check", .ret_given = &only_check },
		{ .name = NULL },
	};
	struct err e;
	int status;

	mem_init_libraries();
	if (!command_line_read(&(struct command_line) { "fsa-events", usage, options }, argc, argv,
			       &status))
		return status;
	if (conf_load_logged(config, &conf, &e) < 0) {
		log_err(LOG_LEVEL_ERROR, "cannot start", &e);
		if (!only_check)
			notify_status("cannot start: %s", e.message);
		return EX_CONFIG;
	}
	if (only_check)
		return EXIT_SUCCESS;
	log_set_level_name(conf_string(conf, CONF_LOG_LEVEL));
	if (metric_open(conf_string(conf, CONF_METRICS_DIR), "fsa-events", &e) < 0)
		log_err(LOG_LEVEL_WARNING, "metrics are not recorded", &e);
	signals = catch_signals(&e);
	if (signals < 0) {
		log_err(LOG_LEVEL_ERROR, "cannot start", &e);
		return EX_OSERR;
	}
	for (struct conf *next; (next = run(conf, config, signals)) != NULL;) {
		conf_free(conf);
		conf = next;
	}
	log_line(LOG_LEVEL_INFO, "stopped", LOG_STR("reason", "signal"));
	metric_close();
	return EXIT_SUCCESS;
}
