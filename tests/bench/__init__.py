"""How fast, how light and how polite a crawl is: measured against a generated fediverse. `make bench` runs it.

``world`` invents servers and toots, ``server`` plays all of them in one process of its own, ``crawl`` sends the real
program there, ``sequential`` sends a plain client the same way, ``floor`` says how fast anybody could be at best.
Nothing here imports Django: the program under test runs in child processes, whose time and memory are taken from the
operating system.
"""
