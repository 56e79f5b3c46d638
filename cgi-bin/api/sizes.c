/* The sizes of sandboxes that owners can choose from. */
#include "api.h"

#include "store/size.h"

int sizes_list_get(struct call *c, struct err *e)
{
	json_t *sizes = NULL;

	if (size_list(c->db, &sizes, e) < 0)
		return -1;
	response_json(c->response, 200, json_pack("{s:o}", "items", sizes));
	return 0;
}
