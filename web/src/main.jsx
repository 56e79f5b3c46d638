import {render} from "preact";
import {App} from "./app.jsx";
import {keepFocus} from "./focus.js";
import {startRouter} from "./router.js";
import {enter} from "./session.js";
import "./style.css";

startRouter();
enter();
keepFocus();
render(<App/>, /** @type {HTMLElement} */ (document.getElementById("console")));
