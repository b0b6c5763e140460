"""The simulated XUC over a model, and the same on a free loopback port."""

from __future__ import annotations

from bluetel.telephony.simulator.loopback import PASSWORD, USERNAME, Loopback
from bluetel.telephony.simulator.model import SimulatedPbx
from bluetel.telephony.simulator.xivo_server.app import XucApplication
from bluetel.telephony.simulator.xivo_server.site import Readings, XucSite

API_KEY = "bluetel-key"


def build_application(
    pbx: SimulatedPbx,
    *,
    username: str = USERNAME,
    password: str = PASSWORD,
    api_key: str = API_KEY,
    readings: Readings | None = None,
) -> XucApplication:
    """The application over a model, with one service account and one key for REST 1.0."""
    site = XucSite(
        pbx=pbx,
        username=username,
        password=password,
        api_key=api_key,
        readings=readings or Readings(),
    )
    return XucApplication(site)


class LoopbackXuc(Loopback):
    """A simulated XUC in a thread.

    With ``stands_still`` its time passes only in ``do`` (``pbx.advance``), else really.
    """

    def __init__(
        self, pbx: SimulatedPbx, *, stands_still: bool = False, readings: Readings | None = None
    ) -> None:
        self.application = build_application(pbx, readings=readings)
        self.site = self.application.site
        if stands_still:
            self.application.site.clock = lambda: pbx.now
        super().__init__(self.application)
