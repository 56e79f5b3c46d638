// Who may use the terminal: whoever has the token, as ?authorization=<base64 of user:token>, which
// an address can carry, or in the header of HTTP Basic.
import crypto from "crypto";
import qs from "querystring";

const expected = digest(Buffer.from(`user:${process.env.TTYD_ACCESS_TOKEN}`).toString("base64"));

function digest(text) {
    return crypto.createHash("sha256").update(text).digest("hex");
}

// Digests are compared, so that the time tells nothing about the token.
function matches(given) {
    return typeof given === "string" && digest(given) === expected;
}

function allowed(request) {
    const header = request.headersIn.Authorization || "";
    const basic = /^basic /i.test(header) && header.slice(6).trim();
    return matches(request.args.authorization) || matches(basic) ? "1" : "";
}

// What ttyd is to see of the query: the names of sessions, and not the token.
function args(request) {
    const names = request.args.arg;
    return names === undefined ? "" : `?${qs.stringify({ arg: names })}`;
}

export default { allowed, args };
