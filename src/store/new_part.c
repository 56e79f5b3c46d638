#include "store/new_part.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "crypto/token.h"
#include "store/contexts.h"

enum {
	NAME_LETTERS = 6,
	HOST_LETTERS = 12,
	SEALED_TOKEN_MAX = 1024,
};

/* Version 4 (RFC 9562, section 5.4). */
static void make_uuid(char ret_id[STORE_ID_LENGTH + 1])
{
	uint32_t r[4] = { token_random_u32(), token_random_u32(), token_random_u32(),
			  token_random_u32() };

	(void)snprintf(ret_id, STORE_ID_LENGTH + 1, "%08x-%04x-4%03x-%04x-%04x%08x", r[0],
		       r[1] >> 16, r[1] & 0xfff, 0x8000 | (r[2] & 0x3fff), r[2] >> 16, r[3]);
}

static void make_name(char *ret_name, size_t size, const char *kube_name, const char *what)
{
	char letters[NAME_LETTERS + 1];

	token_letters(letters, NAME_LETTERS);
	(void)snprintf(ret_name, size, "%s-%s-%s", kube_name, what, letters);
}

static int make_hosts(struct new_sandbox *s, const struct conf *conf, struct err *e)
{
	char letters[HOST_LETTERS + 1];
	const char *domain;

	if (conf_require(conf, CONF_INGRESS_DOMAIN, &domain, e) < 0)
		return -1;
	token_letters(letters, HOST_LETTERS);
	(void)snprintf(s->app_host, sizeof(s->app_host), "%s.%s", letters, domain);
	(void)snprintf(s->ttyd_host, sizeof(s->ttyd_host), "%s-ttyd.%s", letters, domain);
	return 0;
}

static int make_terminal_token(struct new_sandbox *s, new_part_seal_fn *seal, const void *user,
			       struct err *e)
{
	char token[TERMINAL_TOKEN_LENGTH + 1];
	CLEANUP(cleanup_free) char *context = mem_printf(CONTEXT_TERMINAL, s->id);

	token_alphanumeric(token, TERMINAL_TOKEN_LENGTH);
	int sealed =
		seal(user, context, token, TERMINAL_TOKEN_LENGTH, &s->terminal_token_sealed, e);
	explicit_bzero(token, sizeof(token));
	return sealed;
}

int new_sandbox_init(struct new_sandbox *s, const struct conf *conf, const char *id,
		     const char *kube_name, new_part_seal_fn *seal, const void *user, struct err *e)
{
	memset(s, 0, sizeof(*s));
	s->terminal_token_sealed = BUF_INIT(SEALED_TOKEN_MAX);
	if (id != NULL)
		(void)snprintf(s->id, sizeof(s->id), "%s", id);
	else
		make_uuid(s->id);
	make_name(s->name, sizeof(s->name), kube_name, "agentruntime");
	if (make_hosts(s, conf, e) < 0 || make_terminal_token(s, seal, user, e) < 0)
		return -1;
	s->row = (struct sandbox_new) {
		.id = s->id,
		.name = s->name,
		.app_host = s->app_host,
		.ttyd_host = s->ttyd_host,
		.image = conf_string(conf, CONF_RUNTIME_IMAGE),
		.home_size = conf_string(conf, CONF_HOME_SIZE),
		.cpu_request = conf_string(conf, CONF_SANDBOX_CPU_REQUEST),
		.cpu_limit = conf_string(conf, CONF_SANDBOX_CPU_LIMIT),
		.memory_request = conf_string(conf, CONF_SANDBOX_MEMORY_REQUEST),
		.memory_limit = conf_string(conf, CONF_SANDBOX_MEMORY_LIMIT),
		.storage_limit = conf_string(conf, CONF_SANDBOX_STORAGE_LIMIT),
		.terminal_token_sealed = s->terminal_token_sealed.data,
		.terminal_token_sealed_length = s->terminal_token_sealed.length,
	};
	return 0;
}

void new_sandbox_clear(struct new_sandbox *s)
{
	buf_release(&s->terminal_token_sealed);
}

void new_database_init(struct new_database *d, const struct conf *conf, const char *kube_name)
{
	make_uuid(d->id);
	make_name(d->name, sizeof(d->name), kube_name, "db");
	d->row = (struct database_new) {
		.id = d->id,
		.name = d->name,
		.version = conf_string(conf, CONF_POSTGRES_VERSION),
		.storage_size = conf_string(conf, CONF_POSTGRES_STORAGE),
		.cpu_request = conf_string(conf, CONF_POSTGRES_CPU_REQUEST),
		.cpu_limit = conf_string(conf, CONF_POSTGRES_CPU_LIMIT),
		.memory_request = conf_string(conf, CONF_POSTGRES_MEMORY_REQUEST),
		.memory_limit = conf_string(conf, CONF_POSTGRES_MEMORY_LIMIT),
	};
}
