#include "reconcile/desired.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/mem.h"
#include "domain/environment_file.h"
#include "reconcile/kind.h"

enum { SECRET_MAX = 1 << 20 };

/* ---- context --------------------------------------------------------------------------------- */

int desired_context_load(const struct conf *conf, struct desired_context *ret_context,
			 struct err *e)
{
	struct desired_context c = { 0 };

	if (conf_require(conf, CONF_INGRESS_DOMAIN, &c.settings.ingress_domain, e) < 0)
		return -1;
	c.settings.ingress_class = conf_string(conf, CONF_INGRESS_CLASS);
	c.settings.ingress_tls_secret = conf_string(conf, CONF_INGRESS_TLS_SECRET);
	c.settings.storage_class = conf_string(conf, CONF_STORAGE_CLASS);
	c.settings.image_pull_secret = conf_string(conf, CONF_IMAGE_PULL_SECRET);
	c.settings.postgres_image = conf_string(conf, CONF_POSTGRES_IMAGE);
	c.settings.dns_pods = conf_string(conf, CONF_DNS_PODS);
	c.settings.dns_networks = conf_string(conf, CONF_DNS_NETWORKS);
	c.settings.api_server_networks = conf_string(conf, CONF_API_SERVER_NETWORKS);
	c.settings.backup_pods = conf_string(conf, CONF_BACKUP_PODS);
	c.settings.backup_networks = conf_string(conf, CONF_BACKUP_NETWORKS);
	c.settings.wake_service = conf_string(conf, CONF_WAKE_SERVICE);
	c.settings.wake_port = (int)conf_number(conf, CONF_WAKE_PORT);
	c.settings.databases_open = !conf_bool(conf, CONF_DATABASE_NETWORK_POLICY);
	c.site = conf_string(conf, CONF_PUBLIC_URL);
	manifest_settings_fingerprint(&c.settings);
	if (keyring_load_private(conf_string(conf, CONF_OWNER_PRIVATE_KEY_FILE), &c.owner_private,
				 e) < 0 ||
	    environment_read_file(conf_string(conf, CONF_OPERATOR_ENV_FILE),
				  &c.operator_environment, e) < 0) {
		desired_context_clear(&c);
		return -1;
	}
	*ret_context = c;
	return 0;
}

void desired_context_clear(struct desired_context *context)
{
	keyring_freep(&context->owner_private);
	json_decref(context->operator_environment);
	*context = (struct desired_context) { 0 };
}

int desired_open_secret(const struct desired_context *context, const char *secret_context,
			const void *sealed, size_t length, struct buf *ret_plain, struct err *e)
{
	*ret_plain = BUF_INIT(SECRET_MAX);
	if (unseal_own(context->owner_private, secret_context, sealed, length, ret_plain, e) < 0) {
		e->kind = ERR_INTERNAL;
		return err_wrap(e, "the stored secret \"%s\" cannot be opened", secret_context);
	}
	return buf_append(ret_plain, "", 0, e);
}

struct manifest_resources desired_resources(const struct queue_row *row)
{
	return (struct manifest_resources) {
		.cpu_request = row->cpu_request,
		.cpu_limit = row->cpu_limit,
		.memory_request = row->memory_request,
		.memory_limit = row->memory_limit,
		.storage_limit = row->storage_limit,
	};
}

/* ---- the state of a row ---------------------------------------------------------------------- */

struct desired_state {
	const struct desired_context *context;
	const struct kind *kind;
	const struct queue_row *row;
	const struct queue_variables *variables;
	void *inputs; /* the kind's own; NULL: not loaded */
	char hash[MANIFEST_HASH_SIZE];
	json_t *anchor, *objects;
};

struct desired_state *desired_state_new(const struct desired_context *context,
					const struct kind *kind, const struct queue_row *row,
					const struct queue_variables *variables)
{
	struct desired_state *d = mem_calloc(1, sizeof(*d));

	d->context = context;
	d->kind = kind;
	d->row = row;
	d->variables = variables;
	return d;
}

void desired_state_set_kind(struct desired_state *d, const struct kind *kind)
{
	d->kind = kind;
}

void desired_state_shrink(struct desired_state *d)
{
	if (d->inputs != NULL)
		d->kind->free_inputs(d->inputs);
	json_decref(d->objects);
	d->inputs = NULL;
	d->objects = NULL;
}

void desired_state_free(struct desired_state *d)
{
	if (d == NULL)
		return;
	desired_state_shrink(d);
	json_decref(d->anchor);
	free(d);
}

int desired_state_load(struct desired_state *d, struct err *e)
{
	if (d->inputs != NULL)
		return 0;
	d->inputs = d->kind->make_inputs(d->context, d->row, d->variables, e);
	if (d->inputs == NULL)
		return -1;
	d->kind->hash(d->inputs, &d->context->settings, d->hash);
	return 0;
}

const char *desired_state_hash(const struct desired_state *d)
{
	return d->hash;
}

json_t *desired_state_anchor(struct desired_state *d, const json_t *live)
{
	if (d->anchor == NULL) {
		d->anchor = d->kind->anchor(d->inputs, &d->context->settings, d->hash);
		manifest_keep_immutable(d->anchor, live);
	}
	return d->anchor;
}

json_t *desired_state_objects(struct desired_state *d, const json_t *live)
{
	if (d->objects == NULL) {
		d->objects = d->kind->companions(d->inputs, &d->context->settings);
		if (json_array_append(d->objects, desired_state_anchor(d, live)) < 0) {
			json_decref(d->objects); /* a string is not UTF-8 */
			d->objects = NULL;
		}
	}
	return d->objects;
}
