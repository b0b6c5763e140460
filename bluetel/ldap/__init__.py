"""LDAP in plain Python: finding people's entries and proving a password, without Django.

``config`` says where and how, ``connection`` is the only module that knows ldap3, ``client`` adds
failover and health, ``sign_in`` proves who somebody is. What an entry means to the contact base
is in :mod:`contacts.ldap`.
"""
