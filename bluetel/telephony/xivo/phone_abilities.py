"""What a telephone can be made to do from afar, by the make that XUC names."""

from __future__ import annotations

from bluetel.telephony.types import PhoneFacts
from bluetel.telephony.xivo.options import XivoOptions


def takes_orders(phone: PhoneFacts, options: XivoOptions) -> bool:
    """Whether XUC can make this phone hold and answer; a make it doesn't name may be able to."""
    if phone.web_rtc and not phone.has_device:
        return False
    makes = {make.casefold() for make in options.remote_makes}
    return not phone.make or phone.make.casefold() in makes


def sends_tones(phone: PhoneFacts, options: XivoOptions) -> bool:
    """Whether tones can be sent: desk phones only where the administrator says that they do."""
    return options.desk_phone_dtmf or (phone.web_rtc and phone.has_device)
