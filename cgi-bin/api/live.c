#include "api.h"

/* GET /api/events. Before nginx opens a stream, it sends this request with the client's cookie or
 * token, and takes the user from the response's header, so a browser cannot choose whose events it
 * gets (nginx/fullstack-agent/events.conf). Clients see this response only if nginx cannot hold
 * streams, or if they did not ask for one: 204 tells an EventSource not to reconnect. */
int live_admit(struct call *c, struct err *e)
{
	(void)e;
	response_header(c->response, "X-Live-User", c->session->user_id);
	response_json(c->response, 204, NULL);
	return 0;
}
