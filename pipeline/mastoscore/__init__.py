"""The routes of the Mastoscore web API (``/api`` without a version), so that its existing clients work here.

A thin layer: an event is found by its ``config_file``, a service does the work, the answer has the keys that clients
know. Nothing here is used by anything but these routes.
"""
