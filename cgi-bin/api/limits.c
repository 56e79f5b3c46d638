/* What a user may have, and has. */
#include "api.h"

#include "store/limit.h"

int limits_read(struct call *c, struct err *e)
{
	json_t *limits = NULL;

	if (limit_list(c->db, c->session->user_id, &limits, e) < 0)
		return -1;
	response_json(c->response, 200, json_pack("{s:o}", "items", limits));
	return 0;
}
