#ifndef KUBESIM_REVIEW_H
#define KUBESIM_REVIEW_H

#include "api.h"
#include "path.h"

/* SelfSubjectRulesReview: what the client may do in a namespace. Nothing is stored. */
bool review_is(const struct path *path);
int review_serve(const struct api_request *request, int *ret_code, struct buf *body,
		 struct refusal *r);

#endif
