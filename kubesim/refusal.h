#ifndef KUBESIM_REFUSAL_H
#define KUBESIM_REFUSAL_H

#include <stdbool.h>

#include <jansson.h>

/*
 * Why the API server refuses a request; becomes a `Status` object. A function that can refuse
 * returns 0 or -1 and takes `struct refusal *` as its last parameter; it is filled only on -1.
 * Source: the Kubernetes API reference, "Status", and apimachinery's error constructors, whose
 * texts are repeated where a client may evaluate them.
 */
struct kind;

struct refusal {
	int code;
	const char *reason;     /* a literal; "" for none */
	unsigned retry_after_s; /* 0: not said */
	const char *kind;       /* of `details`, borrowed from the kind's table; NULL: none */
	const char *group;
	bool empty_details; /* `details` is there, and says nothing */
	char name[254];
	char message[2048];
	json_t *causes; /* of `details`, or NULL; owned */
};

/* Forgets the causes. */
void refusal_clear(struct refusal *r);
/* The Status object. The caller json_decref()s. */
json_t *refusal_status(const struct refusal *r);

/* Each fills `r` and returns -1. */
int refuse(struct refusal *r, int code, const char *reason, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
int refuse_bad_request(struct refusal *r, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* 404 for an unknown resource, and 415: with empty details. */
int refuse_unserved(struct refusal *r, int code, const char *reason, const char *message);
int refuse_not_found(struct refusal *r, const struct kind *kind, const char *name);
/* 409: a precondition of a deletion does not hold. */
int refuse_precondition(struct refusal *r, const struct kind *kind, const char *name,
			const char *format, ...) __attribute__((format(printf, 4, 5)));
int refuse_exists(struct refusal *r, const struct kind *kind, const char *name);
int refuse_conflict(struct refusal *r, const struct kind *kind, const char *name,
		    const char *format, ...) __attribute__((format(printf, 4, 5)));
int refuse_forbidden(struct refusal *r, const struct kind *kind, const char *name,
		     const char *format, ...) __attribute__((format(printf, 4, 5)));
/* 403: nothing new comes into a namespace that is being deleted. */
int refuse_terminating(struct refusal *r, const struct kind *kind, const char *name,
		       const char *namespace);

/* 422: one cause for each field. Start with refuse_invalid_begin(), add with
 * refuse_invalid_field(), end with refuse_invalid_end(), which returns 0 if nothing was added.
 * `type`: a FieldValue… reason of the API, such as FieldValueRequired. */
void refuse_invalid_begin(struct refusal *r);
void refuse_invalid_field(struct refusal *r, const char *type, const char *field,
			  const char *format, ...) __attribute__((format(printf, 4, 5)));
int refuse_invalid_end(struct refusal *r, const struct kind *kind, const char *name);
/* 422 about one field of the options of a request: PatchOptions, DeleteOptions. */
int refuse_options(struct refusal *r, const char *kind, const char *type, const char *field,
		   const char *format, ...) __attribute__((format(printf, 5, 6)));

#endif
