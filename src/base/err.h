#ifndef FSA_BASE_ERR_H
#define FSA_BASE_ERR_H

#include <stdbool.h>

/*
 * Errors. A function that can fail returns 0 or -1 and takes `struct err *` as its last
 * parameter; the struct is written only on failure. An error has a kind (what it means for the
 * program), a code (stable, upper case, for clients) and a message (for the person who can act on
 * it: what failed, why, what to do; never a secret). Libraries return errors, they do not log
 * them: a main, the router or the pass does, once.
 *
 * The kind decides the HTTP status and the retry; both stand in one table, in err.c.
 */
enum err_kind {
	/* Errors of our clients' requests. */
	ERR_INVALID,         /* the request is wrong; nothing was changed */
	ERR_UNAUTHENTICATED, /* no valid session */
	ERR_FORBIDDEN,       /* a session, but not for this (CSRF, scope) */
	ERR_NOT_FOUND,       /* not there, or not theirs */
	ERR_METHOD,          /* the path exists, not with this method */
	ERR_CONFLICT,        /* contradicts what is stored, e.g. a name that is taken */
	ERR_TOO_LARGE,       /* over a size cap */
	ERR_MEDIA_TYPE,      /* a body of a type we do not read */
	ERR_UNPROCESSABLE,   /* well formed, but cannot be done as things are */
	ERR_RATE_LIMITED,    /* too often; retry_after_s says when again */
	ERR_UNAVAILABLE,     /* PostgreSQL is away; retry_after_s says when again */
	ERR_MAINTENANCE,     /* nobody may change anything; the message is the operator's */
	ERR_PROVIDER,        /* an identity provider failed, or its response makes no sense */
	ERR_INTERNAL,        /* our fault */
	/* What a Kubernetes API server, or the way to it, answered. */
	ERR_KUBE_UNAUTHORIZED, /* 401: the kubeconfig's credentials are refused */
	ERR_KUBE_FORBIDDEN,    /* 403: RBAC */
	ERR_KUBE_QUOTA,        /* 403: a ResourceQuota or LimitRange is exceeded */
	ERR_KUBE_BILLING,      /* 403: Sealos, the account is in debt (40001) */
	ERR_KUBE_ADMISSION,    /* 4xx from an admission webhook or Pod Security */
	ERR_KUBE_INVALID,      /* 400, 422, or 500 "not declared in schema" */
	ERR_KUBE_CONFLICT,     /* 409: field manager, UID precondition, being deleted */
	ERR_KUBE_NOT_FOUND,    /* 404 on an object, or on its resource type */
	ERR_KUBE_RATE_LIMITED, /* 429; retry_after_s as the server says */
	ERR_KUBE_SERVER,       /* any other 5xx */
	ERR_KUBE_PROTOCOL,     /* an answer that is not Kubernetes: not JSON, too large, cut off */
	ERR_KUBE_TIMEOUT,      /* no answer in time */
	ERR_KUBE_UNREACHABLE,  /* name, address or connection; an address that policy forbids */
	ERR_KUBE_TLS,          /* the certificate does not match the kubeconfig's CA */
	/* What the objects in the cluster show (reconcile/diagnose). */
	ERR_POD_IMAGE,         /* image cannot be pulled */
	ERR_POD_CRASH,         /* container ends again and again */
	ERR_POD_UNSCHEDULABLE, /* no node takes it */
	ERR_POD_MOUNT,         /* volume cannot be mounted or bound */
	ERR_POD_UNREADY,       /* runs, and does not become ready */
	ERR_POD_REFUSED,       /* the pod could not be created (quota, admission) */
	ERR_DATABASE_FAILED,   /* KubeBlocks says Failed or Abnormal */
	ERR_POD_TERMINATING,   /* deleted, it does not end */
	ERR_OBJECT_HELD,       /* deleted, it is held by a finalizer */
	ERR_DEADLINE,          /* a state outlived its deadline */
	/* What we found out ourselves about a user's cluster access. */
	ERR_DATA_AT_RISK, /* the request would lose files or rows, and was not confirmed */
	ERR_KUBECONFIG,   /* none stored, cannot be opened, or for another cluster or namespace */
	ERR_KIND_COUNT
};

/* When a reconciler tries again after an error of a kind. */
enum err_retry {
	ERR_RETRY_NEVER,   /* not an error of the reconciler */
	ERR_RETRY_BACKOFF, /* exponential, from seconds to minutes: expected to pass */
	ERR_RETRY_SLOW,    /* at the slow resync: somebody must act first */
};

struct err {
	enum err_kind kind;
	unsigned retry_after_s; /* 0: not said */
	char code[48];
	char message[512];
};

/* Fills `e` (which may be NULL) and returns -1. `code` NULL: the kind's own. A message that does
 * not fit is cut at a character boundary. */
int err_set(struct err *e, enum err_kind kind, const char *code, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* Puts "context: " before the message and returns -1. */
int err_wrap(struct err *e, const char *format, ...) __attribute__((format(printf, 2, 3)));

const char *err_kind_name(enum err_kind kind);  /* "KUBE_QUOTA", stable, also the default code */
const char *err_kind_title(enum err_kind kind); /* a few words for people */
int err_kind_http_status(enum err_kind kind);
enum err_retry err_kind_retry(enum err_kind kind);
/* The kind whose name is `name`; false if there is none. */
bool err_kind_parse(const char *name, enum err_kind *ret_kind);

#endif
