"""Whether XUC takes logins at all, asked with one known to be right: the service account's."""

from __future__ import annotations

import asyncio
from concurrent.futures import Executor

from bluetel.telephony.errors import AuthenticationFailed, TelephonyError
from bluetel.telephony.xivo.rest import XucRest
from bluetel.telephony.xivo.sign_in import SignIn
from bluetel.telephony.xivo.times import CtiTimes


class ServiceQuestion:
    """However many ask, XUC is asked once at a time; every method runs on the loop."""

    def __init__(
        self,
        rest: XucRest,
        service: SignIn,
        executor: Executor,
        times: CtiTimes,
        *,
        is_all_there_is: bool,
    ) -> None:
        """``is_all_there_is``: nothing else uses the service account, as where phones are pushed.

        One that never worked there is none, and being refused it speaks for nobody.
        """
        self._rest = rest
        self._service = service
        self._executor = executor
        self._times = times
        self._is_all_there_is = is_all_there_is
        self._asking = asyncio.Lock()
        self._began = float("-inf")
        self._is_taken = False
        self._was_taken = False

    async def ask(self) -> bool:
        """Whether refusals that have come are to be believed.

        A no is good for all who ask for a moment; a yes for those only who asked before XUC was.
        """
        loop = asyncio.get_running_loop()
        asked = loop.time()
        async with self._asking:
            is_fresh = loop.time() - self._began < self._times.answer_lasts
            if not is_fresh or (self._is_taken and self._began < asked):
                self._began = loop.time()
                self._is_taken = await loop.run_in_executor(self._executor, self._sign_in)
            return self._is_taken

    def forget(self) -> None:
        """Believe no earlier answer: XUC is not what it was."""
        self._began = float("-inf")

    def _sign_in(self) -> bool:
        try:
            self._rest.sign_in(self._service.login, self._service.password)
        except AuthenticationFailed:
            return self._is_all_there_is and not self._was_taken
        except TelephonyError:
            return False
        self._was_taken = True
        return True
