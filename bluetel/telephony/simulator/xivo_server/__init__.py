"""The simulated XUC: XiVO's REST and CTI socket on loopback, over the same model and cast.

It shares no code with the adapter, so that one misreading can't hide in both.
"""
