"""A simulated telephone system: one pure model, several faces.

``model`` is a state machine without I/O or clock; ``memory`` is a backend straight on it, for
tests in milliseconds; ``wazo_server`` speaks the Wazo dialect over real HTTP and WebSocket on
loopback. Nothing here shares code with the adapters of ``bluetel.telephony``, so that one mistake
can't hide in both.
"""
