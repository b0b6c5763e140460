"""A Dovecot that lets in who brings an access token, as the large mail providers do.

Tokens are JSON Web Tokens (RFC 7519) signed with a key that the server knows; it asks nobody.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import shutil
import time

from tests.servers.base import UNPRIVILEGED
from tests.servers.dovecot import Dovecot

KEY = b"a key of thirty-two bytes or more"


class TokenDovecot(Dovecot):
    """XOAUTH2 and OAUTHBEARER beside passwords."""

    name = "dovecot_tokens"

    def more(self) -> str:
        """The mechanisms, and who checks a token."""
        return f"""
auth_mechanisms = plain login xoauth2 oauthbearer
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {self.folder}/oauth2.conf
}}
"""

    def set_up(self) -> None:
        """Write the key where the server looks for it, too."""
        (self.folder / "oauth2.conf").write_text(
            "introspection_mode = local\n"
            f"local_validation_key_dict = fs:posix:prefix={self.folder}/keys/\n"
            "username_attribute = sub\n",
            encoding="utf-8",
        )
        key = self.folder / "keys" / "default" / "HS256" / "default"
        key.parent.mkdir(parents=True)
        key.write_bytes(base64.b64encode(KEY))
        super().set_up()
        if os.geteuid() == 0:
            for path in (self.folder / "keys").rglob("*"):
                shutil.chown(path, UNPRIVILEGED)

    @staticmethod
    def token(user: str, *, seconds: float = 600) -> str:
        """An access token for ``user``, good for so long."""
        now = int(time.time())
        claims = {"sub": user, "iat": now - 10, "exp": int(now + seconds)}
        parts = [
            _part(json.dumps(one).encode()) for one in ({"alg": "HS256", "typ": "JWT"}, claims)
        ]
        signed = b".".join(parts)
        return (signed + b"." + _part(hmac.digest(KEY, signed, hashlib.sha256))).decode()


def _part(content: bytes) -> bytes:
    return base64.urlsafe_b64encode(content).rstrip(b"=")


SERVER = TokenDovecot
