#include "api.h"

/*
 * GET /api/events. nginx asks this before it opens a stream, by a request of its own that carries
 * the client's cookie or token, and takes the user from the header: the browser has no say in whose
 * events it gets (nginx/fullstack-agent/events.conf).
 *
 * A client sees this answer itself where nginx cannot hold streams, or when it did not ask for one:
 * 204, upon which an EventSource does not try again.
 */
int live_admit(struct call *c, struct err *e)
{
	(void)e;
	response_header(c->response, "X-Live-User", c->session->user_id);
	response_json(c->response, 204, NULL);
	return 0;
}
