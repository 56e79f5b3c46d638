#ifndef KUBESIM_SELECTOR_H
#define KUBESIM_SELECTOR_H

#include <stdbool.h>

#include "object.h"
#include "refusal.h"

/*
 * Label and field selectors. Source: kubernetes.io, "Labels and Selectors" and "Field Selectors".
 * Labels: `a`, `!a`, `a=b`, `a==b`, `a!=b`, `a in (b,c)`, `a notin (b,c)`, joined by commas.
 * Fields: `a=b`, `a==b`, `a!=b`.
 */
struct selector;

/* NULL or "" selects everything. 400 when the text cannot be read. */
int selector_new_labels(const char *text, struct selector **ret_selector, struct refusal *r);
/* 400 also for a field that the type does not offer. */
int selector_new_fields(const char *text, const struct kind *kind, struct selector **ret_selector,
			struct refusal *r);
void selector_free(struct selector *s);

bool selector_matches(const struct selector *s, const struct object *o);
/* A label and the value that everything selected has of it: a way into an index. False if the
 * selector asks for no such. */
bool selector_required(const struct selector *s, const char *key, const char **ret_value);

#endif
