#include "web/page.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/mem.h"

enum { PAGE_MAX = 16384 };

static const char policy[] = "default-src 'none'; style-src 'self'; script-src 'self'; "
			     "connect-src 'self'; base-uri 'none'; form-action 'none'; "
			     "frame-ancestors 'none'";

static void add(struct buf *b, const char *text)
{
	(void)buf_append(b, text, strlen(text), NULL); /* over the limit: truncated */
}

/* Escapes for text and for attributes in double quotes. */
static void add_escaped(struct buf *b, const char *text)
{
	static const struct {
		char character;
		const char *escaped;
	} rows[] = { { '&', "&amp;" },
		     { '<', "&lt;" },
		     { '>', "&gt;" },
		     { '"', "&quot;" },
		     { '\'', "&#39;" } };

	for (; *text != '\0'; text++) {
		const char one[] = { *text, '\0' };
		const char *written = one;
		for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
			if (rows[i].character == *text)
				written = rows[i].escaped;
		}
		add(b, written);
	}
}

static void add_element(struct buf *b, const char *open, const char *text, const char *close)
{
	if (text == NULL)
		return;
	add(b, open);
	add_escaped(b, text);
	add(b, close);
}

void page_show(struct response *r, int status, const struct page *page)
{
	CLEANUP(buf_release) struct buf html = BUF_INIT(PAGE_MAX);

	add(&html, "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
		   "<meta name=\"viewport\" content=\"width=device-width\">\n");
	add_element(&html, "<title>", page->title, "</title>\n");
	add(&html, "<link rel=\"stylesheet\" href=\"/auth/page.css\">\n");
	add_element(&html, "<script src=\"", page->script, "\" defer></script>\n");
	add_element(&html, "<main>\n<h1>", page->title, "</h1>\n");
	add_element(&html, "<p id=\"text\">", page->text, "</p>\n");
	add_element(&html, "<p><small>", page->detail, "</small></p>\n");
	add(&html, "<p><a href=\"/\">To the site</a></p>\n</main>\n</html>\n");
	response_html(r, status, html.data, policy);
}

void page_error(struct response *r, const struct err *e, const char *request_id, bool development)
{
	CLEANUP(cleanup_free) char *detail = mem_printf("%s · request %s", e->code, request_id);
	const struct page page = {
		.title = err_kind_title(e->kind),
		.text = response_message(e, development),
		.detail = detail,
	};

	page_show(r, err_kind_http_status(e->kind), &page);
}

bool page_wanted(const struct request *request)
{
	const char *accept = request_variable(request, "HTTP_ACCEPT");

	return accept != NULL && strstr(accept, "text/html") != NULL;
}
