// What somebody is to a project, and what that gives; the API decides, this only hides what it would refuse.

const ROLES = ["viewer", "editor", "owner"];

/** Whether somebody may do what takes that role. @param {Project} project @param {"editor" | "owner"} least */
export const may = ({role}, least) => ROLES.indexOf(role) >= ROLES.indexOf(least);

/** What each role means, for who chooses one. */
export const MEANINGS = /** @type {[string, string][]} */ ([
	["viewer", "Viewer: sees the project, and nothing of it in full"],
	["editor", "Editor: does everything but delete, manage members and see values of secrets"],
]);
