/* What anybody may know about the site, logged in or not. */
#include "api.h"

#include "store/maintenance.h"

int site_read(struct call *c, struct err *e)
{
	json_t *maintenance = NULL;

	if (maintenance_get(c->db, &maintenance, e) < 0)
		return -1;
	response_json(c->response, 200, json_pack("{s:o}", "maintenance", maintenance));
	return 0;
}
