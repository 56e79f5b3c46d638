#ifndef FSA_RECONCILE_VOUCH_H
#define FSA_RECONCILE_VOUCH_H

#include <stdbool.h>

#include "reconcile/view.h"

/*
 * Objects that were compared with the desired state, and have not changed since, need not be read
 * or built again. An API server gives an object another resourceVersion whenever it changes, so
 * those that were found to be as desired are kept with the row (queue_row.observed) as "vouched":
 * the hash of the desired state, a hash of the versions of all objects but the anchor, and the
 * anchor's version. A resync of a stable row reads the metadata of these objects at first, and the
 * anchor's status; it reads the objects themselves only if any of this has changed.
 */

/* As OBSERVE(): the types of a row's objects of which this is enough at first. `kept` is
 * view.kept. */
unsigned vouch_brief(const struct kind *kind, const struct queue_row *row, const json_t *kept);
/* As OBSERVE(): those of the `brief` types that must be read in full after all. */
unsigned vouch_unknown(const struct view *v, unsigned brief);
/* Whether all objects but the anchor are known to be as desired; and whether the anchor is. */
bool vouch_holds(const struct view *v);
bool vouch_holds_for_anchor(const struct view *v);
/* All objects were found to be as desired, those that were not listed excepted. */
void vouch_note(const struct view *v);

#endif
