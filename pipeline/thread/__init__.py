"""The thread of an event: planned, seen, approved, sent exactly once, and removed again if need be.

``plan`` makes the draft (``trial`` tries its texts), ``edit`` changes it, ``approval`` freezes it, ``recheck`` looks
again at what it shows, ``send`` sends it (``courier`` one toot, ``outbox`` is patient with the server, ``pictures``
uploads, ``account`` and ``reconcile`` find what is out already, ``notes`` remembers what may turn up), ``removal``
deletes it, ``after`` writes what others read of it. Admin, API and commands call these and nothing below.
"""
