#include "ctl/doctor.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/cleanup.h"
#include "ctl/output.h"
#include "store/admin.h"
#include "store/host_health.h"

static const struct {
	const char *name;
	bool needs_database;
	void (*run)(struct doctor *d);
} checks[] = {
	{ "database", false, doctor_database },
	{ "schema", true, doctor_schema },
	{ "keys", false, doctor_keys },
	{ "secrets", true, doctor_secrets },
	{ "settings", false, doctor_settings },
	{ "units", false, doctor_units },
	{ "sockets", false, doctor_sockets },
	{ "site", false, doctor_site },
	{ "disk", false, doctor_disk },
	{ "hosts", true, doctor_hosts },
	{ "queue", true, doctor_queue },
	{ "clusters", true, doctor_clusters },
	{ "maintenance", true, doctor_maintenance },
};

static const char *const healths[] = {
	[HEALTH_OK] = "ok",
	[HEALTH_WARNING] = "warning",
	[HEALTH_FAILED] = "FAILED",
};

void doctor_say(struct doctor *d, enum health health, const char *subject, const char *advice,
		const char *format, ...)
{
	char message[1024];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(message, sizeof(message), format, arguments);
	va_end(arguments);
	if (health > d->worst)
		d->worst = health;
	json_t *finding =
		json_pack("{s:s, s:s, s:s, s:s, s:s?}", "health", healths[health], "check",
			  d->check, "subject", subject, "message", message, "advice", advice);
	if (finding != NULL) /* all text is UTF-8, as it was stored or configured */
		(void)json_array_append_new(d->findings, finding);
}

void doctor_say_error(struct doctor *d, enum health health, const char *subject, const char *advice,
		      const struct err *e)
{
	doctor_say(d, health, subject, advice, "%s", e->message);
}

/* Certificates and tokens depend on the time to the minute. */
void doctor_judge_clock(struct doctor *d, const char *whose, time_t theirs)
{
	enum { TOLERATED_S = 120 };
	long long ahead = (long long)time(NULL) - (long long)theirs;
	CLEANUP(cleanup_free) char *distance = output_duration((uint64_t)llabs(ahead) * 1000);

	if (llabs(ahead) <= TOLERATED_S)
		return;
	d->clock_is_off = true;
	doctor_say(
		d, HEALTH_FAILED, "clock",
		"one of the two is wrong: compare date -u with another machine's; timedatectl says "
		"whether this host's is kept right, timedatectl set-ntp true keeps it so",
		"this host's clock is %s %s that of %s", distance,
		ahead > 0 ? "ahead of" : "behind", whose);
}

static void print_findings(const json_t *findings)
{
	static const struct output_column columns[] = {
		{ "health", "HEALTH" },
		{ "check", "CHECK" },
		{ "subject", "OF" },
		{ "message", "FOUND" },
	};
	size_t i;
	json_t *finding;

	output_table(NULL, columns, ARRAY_SIZE(columns), findings);
	(void)puts("");
	json_array_foreach(findings, i, finding)
	{
		const char *advice = json_string_value(json_object_get(finding, "advice"));
		if (advice == NULL)
			continue;
		(void)printf("%s, %s:\n", json_string_value(json_object_get(finding, "check")),
			     json_string_value(json_object_get(finding, "subject")));
		output_line("", advice);
	}
}

static void run_checks(struct doctor *d)
{
	for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
		d->check = checks[i].name;
		if (!checks[i].needs_database || d->database_answers)
			checks[i].run(d);
	}
}

/* For administrators who cannot log in on this host: the worst first, no more than they read. */
static json_t *worth_recording(const json_t *findings)
{
	enum { RECORDED_MAX = 100 };
	static const enum health worst_first[] = { HEALTH_FAILED, HEALTH_WARNING };
	json_t *chosen = json_array();
	size_t i;
	json_t *finding;

	for (size_t kind = 0; kind < ARRAY_SIZE(worst_first); kind++) {
		json_array_foreach(findings, i, finding)
		{
			const char *health = json_string_value(json_object_get(finding, "health"));
			if (strcmp(health, healths[worst_first[kind]]) == 0 &&
			    json_array_size(chosen) < RECORDED_MAX)
				(void)json_array_append(chosen, finding);
		}
	}
	return chosen;
}

static size_t count_in_order(const json_t *findings)
{
	size_t i, count = 0;
	json_t *finding;

	json_array_foreach(findings, i, finding)
	{
		const char *health = json_string_value(json_object_get(finding, "health"));
		count += strcmp(health, healths[HEALTH_OK]) == 0;
	}
	return count;
}

static int record(const struct doctor *d, struct err *e)
{
	CLEANUP(json_decrefp) json_t *chosen = worth_recording(d->findings);
	struct utsname host;

	if (d->call->options[OPTION_RECORD] == NULL)
		return 0;
	if (uname(&host) < 0)
		return err_set(e, ERR_INTERNAL, NULL, "this host has no name: %s", strerror(errno));
	return host_health_record(d->db, host.nodename, chosen, count_in_order(d->findings), e);
}

int command_doctor(const struct call *call, struct err *e)
{
	CLEANUP(conf_freep) struct conf *conf = NULL;
	CLEANUP(conf_problems_clear) struct conf_problems problems = { 0 };
	struct call mine = *call;

	/* If it is invalid, running services use their previous one; here the defaults are used. */
	conf_read(call->config_path, &conf, &problems);
	mine.conf = conf;
	CLEANUP(db_freep) struct db *db = call_database(&mine);
	CLEANUP(json_decrefp) json_t *findings = json_array();
	char user_id[STORE_ID_LENGTH + 1];
	struct doctor d = { .call = &mine, .problems = &problems, .db = db, .findings = findings };

	if (call->options[OPTION_USER] != NULL && call->options[OPTION_RECORD] != NULL)
		return err_set(e, ERR_INVALID, "USAGE",
			       "--record keeps what is found of the whole site: not with --user");
	if (call->options[OPTION_USER] != NULL) {
		if (admin_find_user(db, call->options[OPTION_USER], user_id, e) < 0)
			return -1;
		d.user_id = user_id;
	}
	run_checks(&d);
	if (!output_json(call, findings))
		print_findings(findings);
	if (record(&d, e) < 0)
		return -1;
	return d.worst == HEALTH_FAILED ? 1 : 0;
}
