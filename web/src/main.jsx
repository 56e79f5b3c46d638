import {render} from "preact";
import {App} from "./app.jsx";
import {startRouter} from "./router.js";
import {enter} from "./session.js";
import "./style.css";

startRouter();
enter();
render(<App/>, /** @type {HTMLElement} */ (document.getElementById("console")));
