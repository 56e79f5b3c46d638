"""A stand-in for a model's API (Anthropic's Messages), to run inside a sandbox.

    python3 model.py PORT LOG COMMAND

It answers a prompt by making the agent run COMMAND, and the result of that with a sentence. LOG contains
the requests, one line of JSON each.
"""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PORT, LOG, COMMAND = int(sys.argv[1]), sys.argv[2], sys.argv[3]


class Model(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_HEAD(self):
        self.answer("text/plain", b"")

    do_GET = do_HEAD

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        messages = json.dumps(body.get("messages"))
        with open(LOG, "a") as log:
            print(json.dumps({"messages": messages, "key": self.headers["x-api-key"]}), file=log, flush=True)
        if not self.path.startswith("/v1/messages?") or not body.get("stream"):
            return self.answer("application/json", b'{"input_tokens": 1}')
        uses_tools = bool(body.get("tools")) and "tool_result" not in messages
        events = tool_use() if uses_tools else sentence()
        text = "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events)
        self.answer("text/event-stream", text.encode())

    def answer(self, kind, body):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def tool_use():
    return message({"type": "tool_use", "id": "toolu_1", "name": "Bash", "input": {}},
                   {"type": "input_json_delta",
                    "partial_json": json.dumps({"command": COMMAND, "description": "Do it"})}, "tool_use")


def sentence():
    return message({"type": "text", "text": ""}, {"type": "text_delta", "text": "All is done."}, "end_turn")


def message(block, delta, reason):
    return [
        {"type": "message_start", "message": {
            "id": "msg_1", "type": "message", "role": "assistant", "model": "stand-in", "content": [],
            "stop_reason": None, "stop_sequence": None, "usage": {"input_tokens": 1, "output_tokens": 1}}},
        {"type": "content_block_start", "index": 0, "content_block": block},
        {"type": "content_block_delta", "index": 0, "delta": delta},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": reason, "stop_sequence": None},
         "usage": {"output_tokens": 1}},
        {"type": "message_stop"},
    ]


ThreadingHTTPServer(("127.0.0.1", PORT), Model).serve_forever()
