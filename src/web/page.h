#ifndef FSA_WEB_PAGE_H
#define FSA_WEB_PAGE_H

#include <stdbool.h>

#include "base/err.h"
#include "web/request.h"
#include "web/response.h"

/*
 * The few pages that a program writes itself: for a browser that another site has sent to us, where
 * JSON would help nobody. All text is escaped here and nowhere else. Scripts and styles come from
 * files of the site; inline ones do not run, and no page can be framed.
 */
struct page {
	const char *title;
	const char *text;
	const char *detail; /* small, below; or NULL */
	const char *script; /* a path of the site; or NULL */
};

/* Takes the place of the response's body; headers that were set stay. */
void page_show(struct response *r, int status, const struct page *page);
/* An error as a page, for response_error()'s status and with its message. */
void page_error(struct response *r, const struct err *e, const char *request_id, bool development);
/* Whether the client wants a page: a browser that navigates, not a program. */
bool page_wanted(const struct request *request);

#endif
