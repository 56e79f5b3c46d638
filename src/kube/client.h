#ifndef FSA_KUBE_CLIENT_H
#define FSA_KUBE_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/err.h"
#include "kube/kubeconfig.h"
#include "kube/memory.h"

/* The owner of our fields in server-side apply. */
#define KUBE_FIELD_MANAGER "fullstack-agent"

/*
 * A client of many Kubernetes API servers at once: requests are submitted, answers arrive in
 * callbacks from kube_client_poll(). One thread; requests to one server with the same trust share
 * an HTTP/2 connection. Nothing is retried here. Source: the Kubernetes API concepts page
 * (server-side apply, resource versions, deletion).
 */
struct kube_client;
struct kube_target; /* one server, with one user's credentials and namespace */

#define KUBE_NOT_SENT "NOT_SENT"

/* The resource types we use; a row each in client.c with group, version, plural and kind. */
enum kube_resource {
	KUBE_STATEFULSETS,
	KUBE_PODS,
	KUBE_SERVICES,
	KUBE_INGRESSES,
	KUBE_NETWORK_POLICIES,
	KUBE_SECRETS,
	KUBE_PERSISTENT_VOLUME_CLAIMS,
	KUBE_EVENTS,
	KUBE_SERVICE_ACCOUNTS,
	KUBE_ROLES,
	KUBE_ROLE_BINDINGS,
	KUBE_CLUSTERS,    /* KubeBlocks, apps.kubeblocks.io/v1alpha1 */
	KUBE_CLUSTERS_V1, /* the same of its release 1.0, apps.kubeblocks.io/v1 */
	KUBE_RESOURCE_COUNT,
	/* Of what follows nothing is ours, and nothing in a namespace. */
	KUBE_NAMESPACES,
	KUBE_RULES_REVIEWS,
};

struct kube_client_options {
	uint64_t connect_timeout_ms;
	uint64_t request_timeout_ms;
	size_t body_max;
	const char *allow_addresses; /* CIDRs separated by blanks, or NULL; see http/address.h */
	const char *ca_file;         /* for kubeconfigs without a CA */
	void (*refused)(const char *url, const char *address, const char *what); /* or NULL */
};

struct kube_answer {
	bool ok;
	struct err err;   /* when not ok: kind, code (tables in status.c, answer.c), message */
	long http_status; /* 0: none came */
	time_t date;      /* of the server's clock; 0: it did not say */
	json_t *body;     /* borrowed; NULL if none came. A list has all pages in `items` */
};

typedef void kube_done_fn(void *user, const struct kube_answer *answer);

/* ERR_INVALID: allow_addresses cannot be read. */
int kube_client_new(const struct kube_client_options *options, struct kube_client **ret_client,
		    struct err *e);
/* Aborts what is in flight without calling back. */
void kube_client_free(struct kube_client *client);

/* Copies what it needs from `config`; ERR_KUBECONFIG if something is missing. A target must outlive
 * its requests. */
int kube_target_new(const struct kubeconfig *config, struct kube_target **ret_target,
		    struct err *e);
/* The owner: the user for whom the process works (base/heartbeat.h) while it sends this target's
 * requests and reads their responses. Set it before the first request and before
 * kube_target_share(). */
void kube_target_set_owner(struct kube_target *target, const char *user_id);
/* The same target, for requests about that many rows, whose responses are limited to the rows'
 * budget of `memory` (see kube/memory.h). What was read counts until the new target is freed, which
 * must be before `target` and `memory` are freed. */
struct kube_target *kube_target_share(struct kube_target *target, struct kube_memory *memory,
				      size_t rows);
void kube_target_free(struct kube_target *target);
const char *kube_target_namespace(const struct kube_target *target);
const char *kube_target_server(const struct kube_target *target);

/*
 * Each submits one request; `done` is called exactly once, from kube_client_poll(), also for
 * requests that could not even be sent. More may be submitted from there. Strings and JSON are
 * copied or referenced. A request ends within request_timeout_ms, all pages of a list together. The
 * requests in flight to one server are limited (kube/limiter.h). The others wait, for at most the
 * same time again; then they end with ERR_KUBE_TIMEOUT, code KUBE_NOT_SENT, which is not a failure.
 * An answer larger than what is left of its target's budget, as text or as JSON, is
 * ERR_KUBE_PROTOCOL with code ANSWER_TOO_LARGE.
 *
 * Errors name verb, type and object, and what the server said, cut and without control characters.
 * Only ERR_KUBE_NOT_FOUND with code OBJECT_NOT_FOUND means that an object does not exist: a 404
 * without a Status is ERR_KUBE_PROTOCOL, RESOURCE_TYPE_NOT_FOUND means that the cluster does not
 * know the type, NAMESPACE_NOT_FOUND that the namespace is gone. A forbidden address is
 * ERR_KUBE_UNREACHABLE with code ADDRESS_FORBIDDEN.
 */
struct kube_list {
	enum kube_resource resource;
	const char *label_selector; /* or NULL */
	const char *field_selector; /* or NULL */
	bool metadata_only;         /* PartialObjectMetadataList: for Secrets we must not read */
	/* The members of the objects that are read; kept until the answer. NULL: all that are of
	 * any use. As in kube/filter.h. */
	const char *const *read;
};
void kube_submit_list(struct kube_client *client, struct kube_target *target,
		      const struct kube_list *list, kube_done_fn *done, void *user);
void kube_submit_get(struct kube_client *client, struct kube_target *target,
		     enum kube_resource resource, const char *name, kube_done_fn *done, void *user);
/* What a program in a pod answers to a GET through the API server (pods/proxy): any JSON of a 2xx.
 * The answer is the program's, who may be anybody. */
struct kube_proxy {
	const char *pod;
	unsigned port;
	const char *path;   /* without '/' at the beginning */
	const char *header; /* a line for the program; the API server keeps Authorization */
};
void kube_submit_proxy(struct kube_client *client, struct kube_target *target,
		       const struct kube_proxy *proxy, kube_done_fn *done, void *user);
/* The end of what a pod's container printed before it ended the last time: `body` is a string of at
 * most KUBE_LOG_MAX bytes, which may contain control characters. */
enum { KUBE_LOG_MAX = 16384 };
void kube_submit_log(struct kube_client *client, struct kube_target *target, const char *pod,
		     const char *container, unsigned lines, kube_done_fn *done, void *user);
/* Server-side apply (force, unknown fields refused) of a whole object; path from its apiVersion,
 * kind and name. An object for another namespace than the target's is refused. The answer is the
 * object as it was stored, which admission may have changed; of a Secret its metadata only. */
void kube_submit_apply(struct kube_client *client, struct kube_target *target, json_t *object,
		       kube_done_fn *done, void *user);
/* As an apply, but nothing is stored: whether the object would be accepted. */
void kube_submit_dry_run(struct kube_client *client, struct kube_target *target, json_t *object,
			 kube_done_fn *done, void *user);
/* The target's Namespace. */
void kube_submit_namespace(struct kube_client *client, struct kube_target *target,
			   kube_done_fn *done, void *user);
/* A SelfSubjectRulesReview: what the target's account may do there, for kube/rules.h. */
void kube_submit_rules_review(struct kube_client *client, struct kube_target *target,
			      kube_done_fn *done, void *user);
/* The types that the server has in the group and version of one of ours (an APIResourceList).
 * RESOURCE_TYPE_NOT_FOUND: none. */
void kube_submit_types(struct kube_client *client, struct kube_target *target,
		       enum kube_resource resource, kube_done_fn *done, void *user);
/* Background propagation; `uid` is the precondition, NULL for none. */
void kube_submit_delete(struct kube_client *client, struct kube_target *target,
			enum kube_resource resource, const char *name, const char *uid,
			kube_done_fn *done, void *user);

/* Works for at most `timeout_ms` and calls back for each request that ends. Returns early after
 * such a call, or when there is nothing to wait for. `wake_fd` (or -1) also ends the wait when it
 * becomes readable. */
void kube_client_poll(struct kube_client *client, int timeout_ms, int wake_fd);
size_t kube_client_pending(const struct kube_client *client);
/* Requests sent since the start, for the summary line. */
uint64_t kube_client_requests(const struct kube_client *client);

/* Names of a resource type, e.g. "statefulsets", "StatefulSet", and the type of an apiVersion and
 * kind; false if we do not use it. */
const char *kube_resource_plural(enum kube_resource resource);
const char *kube_resource_kind(enum kube_resource resource);
bool kube_resource_find(const char *api_version, const char *kind,
			enum kube_resource *ret_resource);

#endif
