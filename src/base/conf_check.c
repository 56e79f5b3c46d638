/* Combinations of options that are wrong although each value is valid. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/conf_value.h"
#include "base/mem.h"
#include "base/quantity.h"

/* Working on a row takes several waves of requests, each of which may time out. */
enum { WAVES_OF_A_ROW = 4, MEMORY_OF_A_ROW = 512 * 1024 };

static bool is_set(const struct conf *c, enum conf_option option)
{
	return c->values[option].text != NULL;
}

static bool is_https(const char *url)
{
	return strncasecmp(url, "https:", 6) == 0;
}

static void check_required(const struct conf *c, struct conf_problems *problems)
{
	for (int i = 0; i < CONF_OPTION_COUNT; i++) {
		const struct conf_spec *spec = conf_spec((enum conf_option)i);
		if (spec->required && !is_set(c, (enum conf_option)i))
			conf_problem_add(problems, false, 0,
					 "%s: is not set, and has no default: %s", spec->name,
					 spec->help)
				->missing = true;
	}
}

/* Reports missing options of a provider, and those that have no effect without it. */
static void check_providers(const struct conf *c, struct conf_problems *problems)
{
	static const struct {
		enum conf_option id, secret;
	} providers[] = {
		{ CONF_GITHUB_CLIENT_ID, CONF_GITHUB_CLIENT_SECRET_FILE },
		{ CONF_OIDC_CLIENT_ID, CONF_OIDC_CLIENT_SECRET_FILE },
	};

	for (size_t i = 0; i < ARRAY_SIZE(providers); i++) {
		const struct conf_value *id = &c->values[providers[i].id];
		const struct conf_value *secret = &c->values[providers[i].secret];
		const char *id_name = conf_spec(providers[i].id)->name;
		const char *secret_name = conf_spec(providers[i].secret)->name;
		if (id->text != NULL && secret->text == NULL)
			conf_problem_add(problems, false, id->line,
					 "%s is set, and %s is not: set it, "
					 "or leave both out",
					 id_name, secret_name);
		if (id->text == NULL && secret->text != NULL)
			conf_problem_add(problems, true, secret->line, "%s is of no use without %s",
					 secret_name, id_name);
	}
}

static void check_oidc_scope(const struct conf *c, struct conf_problems *problems)
{
	const struct conf_value *scope = &c->values[CONF_OIDC_SCOPE];
	CLEANUP(cleanup_free) char *words = mem_strdup(scope->text);
	char *rest = NULL;

	for (char *word = strtok_r(words, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
		if (strcmp(word, "openid") == 0)
			return;
	}
	conf_problem_add(problems, !is_set(c, CONF_OIDC_CLIENT_ID), scope->line,
			 "oidc_scope has to hold the word openid");
}

/* Browsers accept cookies in another site's frame over https only. */
static void check_urls(const struct conf *c, struct conf_problems *problems)
{
	const struct conf_value *url = &c->values[CONF_PUBLIC_URL];
	static const char *const local[] = { "http://127.", "http://localhost", "http://[::1]" };

	if (is_https(url->text))
		return;
	if (is_set(c, CONF_FRAME_ANCESTORS))
		conf_problem_add(
			problems, false, c->values[CONF_FRAME_ANCESTORS].line,
			"frame_ancestors needs a public_url of https, and it is \"%.200s\"",
			url->text);
	for (size_t i = 0; i < ARRAY_SIZE(local); i++) {
		if (strncasecmp(url->text, local[i], strlen(local[i])) == 0)
			return;
	}
	conf_problem_add(
		problems, true, url->line,
		"public_url is not https: passwords and sessions go over the network as they "
		"are");
}

static void check_times(const struct conf *c, struct conf_problems *problems)
{
	const struct conf_value *lease = &c->values[CONF_LEASE_TIME];
	const struct conf_value *request = &c->values[CONF_KUBE_REQUEST_TIMEOUT];
	const struct conf_value *idle = &c->values[CONF_SESSION_IDLE];

	if (lease->number < WAVES_OF_A_ROW * request->number)
		conf_problem_add(problems, false, lease->line ? lease->line : request->line,
				 "lease_time must be at least %d times kube_request_timeout (%s)",
				 WAVES_OF_A_ROW, request->text);
	if (idle->line != 0 && idle->number > c->values[CONF_SESSION_LIFETIME].number)
		conf_problem_add(
			problems, true, idle->line,
			"session_idle is longer than session_lifetime (%s), so it has no effect",
			c->values[CONF_SESSION_LIFETIME].text);
}

static void check_sizes(const struct conf *c, struct conf_problems *problems)
{
	const struct conf_value *rows = &c->values[CONF_ROWS_IN_FLIGHT];
	const struct conf_value *shards = &c->values[CONF_SHARDS];
	const struct conf_value *per_user = &c->values[CONF_ROWS_PER_USER];
	const struct conf_value *memory = &c->values[CONF_KUBE_MEMORY];

	if (per_user->line != 0 && per_user->number > rows->number)
		conf_problem_add(
			problems, true, per_user->line,
			"rows_per_user is more than rows_in_flight (%s), so it has no effect",
			rows->text);
	if (rows->number < shards->number)
		conf_problem_add(problems, true, shards->line ? shards->line : rows->line,
				 "rows_in_flight = %s is less than shards = %s, and each works on "
				 "one row at least",
				 rows->text, shards->text);
	if (memory->number / 2 / MEMORY_OF_A_ROW < rows->number)
		conf_problem_add(
			problems, true, memory->line ? memory->line : rows->line,
			"kube_memory is little for rows_in_flight = %s: a row needs half a MiB "
			"of its first half",
			rows->text);
	if (c->values[CONF_KUBE_BODY_MAX].number > memory->number)
		conf_problem_add(problems, true, c->values[CONF_KUBE_BODY_MAX].line,
				 "kube_body_max is more than kube_memory (%s)", memory->text);
}

/* Kubernetes refuses containers whose requests exceed their limits. */
static void check_resources(const struct conf *c, struct conf_problems *problems)
{
	static const struct {
		enum conf_option request, limit;
	} pairs[] = {
		{ CONF_SANDBOX_CPU_REQUEST, CONF_SANDBOX_CPU_LIMIT },
		{ CONF_SANDBOX_MEMORY_REQUEST, CONF_SANDBOX_MEMORY_LIMIT },
		{ CONF_POSTGRES_CPU_REQUEST, CONF_POSTGRES_CPU_LIMIT },
		{ CONF_POSTGRES_MEMORY_REQUEST, CONF_POSTGRES_MEMORY_LIMIT },
	};

	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		const struct conf_value *request = &c->values[pairs[i].request];
		const struct conf_value *limit = &c->values[pairs[i].limit];
		if (quantity_compare(request->text, limit->text) > 0)
			conf_problem_add(
				problems, false, request->line ? request->line : limit->line,
				"%s (%s) is more than %s (%s)", conf_spec(pairs[i].request)->name,
				request->text, conf_spec(pairs[i].limit)->name, limit->text);
	}
}

void conf_check(const struct conf *c, struct conf_problems *problems)
{
	check_required(c, problems);
	check_providers(c, problems);
	check_oidc_scope(c, problems);
	check_urls(c, problems);
	check_times(c, problems);
	check_sizes(c, problems);
	check_resources(c, problems);
}
