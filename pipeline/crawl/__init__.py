"""The crawl: many servers at once in threads, one writer, a frontier in the database.

``coordinator`` runs in the job's own thread and is the only one to touch the database (through ``frontier``,
``writer`` and ``store``); ``walker`` threads only talk to servers and hand over what came back.
"""
