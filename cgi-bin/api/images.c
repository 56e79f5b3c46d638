/* The images of sandboxes that owners can choose from. */
#include "api.h"

#include "store/image.h"

int images_list_get(struct call *c, struct err *e)
{
	json_t *images = NULL;

	if (image_list(c->db, &images, e) < 0)
		return -1;
	response_json(c->response, 200, json_pack("{s:o}", "items", images));
	return 0;
}
