"""The company's AD or LDAP as a source of people: plain Python over :mod:`bluetel.ldap`.

``person`` turns an entry into a value, ``lookup`` answers what somebody types, ``reader`` brings
everybody into the index and finds out what has changed since.
"""
