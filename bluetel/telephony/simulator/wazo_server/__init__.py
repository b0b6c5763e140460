"""The Wazo dialect of the simulated PBX, over real HTTP and WebSocket on one port.

Shapes, error bodies, order of events and oddities are those recorded from Wazo 26.08
(reference/wazo.md, reference/wazo-observed.md). Plain ASGI; uvicorn serves it.
"""
