#include "db/hosts.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"

static size_t count_words(const char *list)
{
	size_t count = 1;

	for (const char *comma = strchr(list, ','); comma != NULL; comma = strchr(comma + 1, ','))
		count++;
	return count;
}

/* Copies the n-th word of a comma-separated list; if there is only one, that one. */
static char *copy_word(const char *list, size_t n)
{
	const char *word = list;

	for (; n > 0 && strchr(word, ',') != NULL; n--)
		word = strchr(word, ',') + 1;
	return mem_strndup(word, strcspn(word, ","));
}

static const char *option_value(const PQconninfoOption *options, const char *name)
{
	for (; options->keyword != NULL; options++) {
		if (strcmp(options->keyword, name) == 0)
			return options->val;
	}
	return NULL;
}

void db_hosts_parse(const char *conninfo, struct db_hosts *ret_hosts)
{
	struct db_hosts hosts = { .count = 1 };
	PQconninfoOption *options = PQconninfoParse(conninfo, NULL);
	const char *names = options ? option_value(options, "host") : NULL;

	if (names != NULL && option_value(options, "hostaddr") == NULL && count_words(names) > 1) {
		const char *ports = option_value(options, "port");
		hosts.count = count_words(names);
		hosts.hosts = mem_strdup(names);
		hosts.ports = ports != NULL ? mem_strdup(ports) : NULL;
	}
	PQconninfoFree(options);
	*ret_hosts = hosts;
}

void db_hosts_clear(struct db_hosts *hosts)
{
	free(hosts->hosts);
	free(hosts->ports);
	*hosts = (struct db_hosts) { 0 };
}

char *db_hosts_name(const struct db_hosts *hosts)
{
	return hosts->hosts != NULL ? copy_word(hosts->hosts, hosts->at) : NULL;
}

char *db_hosts_port(const struct db_hosts *hosts)
{
	return hosts->ports != NULL ? copy_word(hosts->ports, hosts->at) : NULL;
}

void db_hosts_next(struct db_hosts *hosts)
{
	hosts->at = (hosts->at + 1) % hosts->count;
}
