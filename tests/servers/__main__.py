"""``python -m tests.servers postgresql redis -- COMMAND …``: run a command beside real servers.

Exits as the command does. Where a server is missing the command is not run: exit 0 and a loud
line, or exit 1 with ``CI`` set.
"""

from __future__ import annotations

import os
import subprocess
import sys

from tests.servers.base import Missing
from tests.servers.registry import running


def main(arguments: list[str]) -> int:
    """Run it; the exit code is returned."""
    if "--" not in arguments:
        print("usage: python -m tests.servers NAME … -- COMMAND …", file=sys.stderr)
        return 2
    split = arguments.index("--")
    names, command = arguments[:split], arguments[split + 1 :]
    try:
        with running(*names) as servers:
            environ = dict(os.environ)
            for server in servers.values():
                environ.update(server.environment())
            return subprocess.run(command, env=environ, check=False).returncode
    except Missing as missing:
        print(f"!!! SKIPPED: {missing}; not run: {' '.join(command)}", file=sys.stderr)
        return 1 if os.environ.get("CI") else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
