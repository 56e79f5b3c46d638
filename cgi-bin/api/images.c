/* The images and templates that owners can choose from. */
#include "api.h"

#include "base/cleanup.h"
#include "store/image.h"
#include "store/template.h"

int images_list_get(struct call *c, struct err *e)
{
	CLEANUP(json_decrefp) json_t *images = NULL, *patterns = NULL;

	if (image_list(c->db, &images, e) < 0 || image_patterns(c->db, &patterns, e) < 0)
		return -1;
	response_json(c->response, 200,
		      json_pack("{s:O, s:O}", "items", images, "patterns", patterns));
	return 0;
}

int templates_list_get(struct call *c, struct err *e)
{
	json_t *templates;

	if (template_list(c->db, &templates, e) < 0)
		return -1;
	response_json(c->response, 200, json_pack("{s:o}", "items", templates));
	return 0;
}
