// The tabs of a project, in their order. `name` is the last part of the address; a view gets
// {project, reload}. One that needs much code of its own is loaded when it is shown: lazy().

import {lazy} from "../../parts/lazy.jsx";
import {DatabaseTab} from "./database.jsx";
import {History} from "./history.jsx";
import {Overview} from "./overview.jsx";
import {ProjectSettings} from "./settings.jsx";
import {Variables} from "./variables.jsx";

/** @type {{name: string, label: string, View: (props: {project: Project, reload: () => Promise<void>}) => any}[]} */
export const TABS = [
	{name: "", label: "Overview", View: Overview},
	{name: "terminal", label: "Terminal", View: lazy(async () => (await import("./terminal.jsx")).TerminalTab)},
	{name: "files", label: "Files", View: lazy(async () => (await import("./files.jsx")).FilesTab)},
	{name: "app", label: "App", View: lazy(async () => (await import("./app.jsx")).AppTab)},
	{name: "agent", label: "Agent", View: lazy(async () => (await import("./agent.jsx")).AgentTab)},
	{name: "database", label: "Database", View: DatabaseTab},
	{name: "variables", label: "Variables", View: Variables},
	{name: "history", label: "History", View: History},
	{name: "settings", label: "Settings", View: ProjectSettings},
];
