"""A terminal on a user's own machine, with a program in it."""

import fcntl
import os
import pty
import re
import struct
import termios
import threading

ESCAPES = re.compile(rb"\x1b(\[[0-9;?<>=!]*[ -/]*[@-~]|[()][A-Z0-9]|[=>78M]|\][^\x07\x1b]*(\x07|\x1b\\))")


class Terminal:
    """Example: terminal.type("ls\\r"); terminal.until("README")."""

    def __init__(self, program, *words, env, rows=30, columns=100):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execve(program, [str(program), *words], {**env, "TERM": "xterm-256color"})
        self.resize(rows, columns)
        self.came, self.changed, self.closed = b"", threading.Condition(), False
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def resize(self, rows, columns):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, text):
        data = text if isinstance(text, bytes) else text.encode()
        while data:
            data = data[os.write(self.fd, data):]

    def _read(self):
        try:
            while part := os.read(self.fd, 65536):
                with self.changed:
                    self.came += part
                    self.changed.notify_all()
        except OSError:
            pass  # the program has ended
        with self.changed:
            self.closed = True
            self.changed.notify_all()

    def text(self):
        return ESCAPES.sub(b"", self.came).decode(errors="replace")

    def until(self, text):
        """Waits until `text` is shown after what the previous call matched; returns what was shown until then."""
        with self.changed:
            assert self.changed.wait_for(lambda: text in self.text() or self.closed, timeout=60), \
                self.text()[-2000:]
            shown = self.text()
            assert text in shown, shown[-2000:]
            self.came = b""
            return shown

    def end(self):
        """Waits for the program's end; returns its exit code."""
        self.reader.join(60)
        code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        os.close(self.fd)
        return code
