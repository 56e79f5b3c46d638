// The tabs of a project, in their order. `name` is the last part of the address; a view gets
// {project, reload}; `least` is the role that it takes, if not every member's. One that needs much code of its own is loaded when it is shown: lazy().

import {lazy} from "../../parts/lazy.jsx";
import {DatabaseTab} from "./database.jsx";
import {History} from "./history.jsx";
import {Members} from "./members.jsx";
import {Overview} from "./overview.jsx";
import {ProjectSettings} from "./settings.jsx";
import {Variables} from "./variables.jsx";

/** @type {{name: string, label: string, least?: "editor", View: (props: {project: Project, reload: () => Promise<void>}) => any}[]} */
export const TABS = [
	{name: "", label: "Overview", View: Overview},
	{name: "terminal", label: "Terminal", least: "editor", View: lazy(async () => (await import("./terminal.jsx")).TerminalTab)},
	{name: "files", label: "Files", least: "editor", View: lazy(async () => (await import("./files.jsx")).FilesTab)},
	{name: "app", label: "App", least: "editor", View: lazy(async () => (await import("./app.jsx")).AppTab)},
	{name: "agent", label: "Agent", least: "editor", View: lazy(async () => (await import("./agent.jsx")).AgentTab)},
	{name: "database", label: "Database", least: "editor", View: DatabaseTab},
	{name: "variables", label: "Variables", least: "editor", View: Variables},
	{name: "history", label: "History", View: History},
	{name: "members", label: "Members", View: Members},
	{name: "settings", label: "Settings", least: "editor", View: ProjectSettings},
];
