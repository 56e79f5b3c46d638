// What somebody is to a project, and what that gives; the API decides, this only hides what it would refuse.

const ROLES = ["viewer", "editor", "owner"];

/** Whether somebody may do what takes that role. @param {Project} project @param {"editor" | "owner"} least */
export const may = ({role}, least) => ROLES.indexOf(role) >= ROLES.indexOf(least);

/** What each role means, for whoever chooses one. */
export const MEANINGS = /** @type {[string, string][]} */ ([
	["viewer", "Viewer: sees how the project is, and cannot get into its sandboxes"],
	["editor", "Editor: does everything but delete, manage members and see values of secrets"],
]);
