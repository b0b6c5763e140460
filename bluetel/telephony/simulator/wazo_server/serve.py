"""The simulated Wazo over a model, and the same on a free loopback port."""

from __future__ import annotations

from bluetel.telephony.simulator.loopback import PASSWORD, USERNAME, Loopback
from bluetel.telephony.simulator.model import SimulatedPbx
from bluetel.telephony.simulator.wazo_server.app import WazoApplication
from bluetel.telephony.simulator.wazo_server.site import Site
from bluetel.telephony.simulator.wazo_server.tokens import TokenStore


def build_application(
    pbx: SimulatedPbx, *, username: str = USERNAME, password: str = PASSWORD
) -> WazoApplication:
    """The application over a model, with one service account."""
    tokens = TokenStore(pbx, username=username, password=password)
    return WazoApplication(Site(pbx=pbx, tokens=tokens))


class LoopbackWazo(Loopback):
    """A simulated Wazo in a thread.

    With ``stands_still`` its time passes only in ``do`` (``pbx.advance``), else really.
    """

    def __init__(self, pbx: SimulatedPbx, *, stands_still: bool = False) -> None:
        self.application = build_application(pbx)
        if stands_still:
            self.application.site.clock = lambda: pbx.now
        super().__init__(self.application)
